// SPDX-License-Identifier: MIT
// Greengrass discovery: the request, and the cores that a response names. Pure. Keys are read
// whatever the case of their letters, because services differ in it.
#ifndef DISCOVERY_H
#define DISCOVERY_H

#include "json.h"

enum {
    DISCOVERY_CORES = 8, // connectivity entries of all cores
    DISCOVERY_CAS = 8,
    DISCOVERY_TEXT_BYTES = 129,
};

// One way to reach a core.
typedef struct {
    char group[DISCOVERY_TEXT_BYTES];
    char thing_arn[DISCOVERY_TEXT_BYTES];
    char id[DISCOVERY_TEXT_BYTES];
    char host[DISCOVERY_TEXT_BYTES];
    uint16_t port;
} discovery_core_t;

typedef struct {
    uint32_t groups;
    uint32_t core_count; // may be more than are kept
    uint32_t ca_count;
    discovery_core_t cores[DISCOVERY_CORES];
    json_t cas[DISCOVERY_CAS]; // strings: the PEM of a group's CA, in the caller's document
} discovery_t;

// Writes the request. Returns its length; STATUS_VALUE: no thing's name; STATUS_SPACE.
int discovery_write_request(const char *thing, const char *host, char *out, size_t size);

// Reads the body of a response. STATUS_SYNTAX: not JSON, or not what the service says.
status_t discovery_read(const void *body, size_t length, discovery_t *discovery);

#endif
