// SPDX-License-Identifier: MIT
// Parses one input line of the console, in place. Pure.
//
// A line with `@` is a frame `@<seq> <command>[ <key>=<value>]...*<CRC>`; it begins at the last
// `@`, so that a request cut off and sent again is understood. A line without `@` is typed by a
// person: no number, no check value. In both, a word without `=` is an argument by position.
#ifndef REQUEST_H
#define REQUEST_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REQUEST_MAX_FIELDS = 10 };

// One argument. `key` is 0 for an argument by position. Both point into the parsed line.
typedef struct {
    const char *key;
    const char *value;
} request_field_t;

typedef struct {
    bool framed;
    uint32_t seq;        // 1 to 2^31-1; 0 for a plain line
    uint16_t crc;        // of the frame's bytes; 0 for a plain line
    const char *command; // empty for an empty plain line
    size_t count;
    request_field_t fields[REQUEST_MAX_FIELDS];
} request_t;

// Parses `line` (NUL terminated, without its end), which is changed and must outlive *request.
// STATUS_CRC: a frame without or with a wrong check value. STATUS_SYNTAX: a right check value
// around something that is not a request, or a bad escape.
status_t request_parse(char *line, request_t *request);

// A number from `low` to `high`: decimal, without sign unless negative, or hexadecimal behind 0x.
// STATUS_VALUE otherwise.
status_t request_parse_number(const char *text, int32_t low, int32_t high, int32_t *number);

#endif
