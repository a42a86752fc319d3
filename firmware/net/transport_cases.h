// SPDX-License-Identifier: MIT
// The cases of the transport interface, through its three function pointers alone, so that any
// vendor's transport can stand behind them. A case says what the functions returned and what
// crossed; whether that is right is the suite's to judge.
#ifndef TRANSPORT_CASES_H
#define TRANSPORT_CASES_H

#include "transport_interface.h"

#include <stdbool.h>

enum { TRANSPORT_LENGTH_MAX = 4096 };

typedef struct {
    TransportInterface_t transport;
    uint32_t length;     // bytes to exchange, at most TRANSPORT_LENGTH_MAX
    uint32_t seed;       // of their pattern
    uint32_t timeout_ms; // of the whole case
    uint8_t *buffer;     // TRANSPORT_LENGTH_MAX bytes of the caller's

    int32_t value;  // what the call in question returned last
    uint32_t calls; // of it
    uint32_t zeros; // of these returned 0
    uint32_t sent, received;
    uint32_t same; // received bytes that are those of the pattern, up to the first that is not
} transport_case_t;

typedef struct {
    const char *name;
    void (*run)(transport_case_t *it);
} transport_row_t;

// The case of that name, or NULL.
const transport_row_t *transport_case_find(const char *name);

#endif
