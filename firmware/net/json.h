// SPDX-License-Identifier: MIT
// Reads JSON (RFC 8259) where it lies, without memory of its own and without recursion. Pure and
// bounded: nothing behind the text's length is read, nesting is limited. json_read() looks at the
// whole text; the others take values out of one that it found good.
#ifndef JSON_H
#define JSON_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH = 16 };

// A value: the text it is written in, in the caller's memory. length 0: none.
typedef struct {
    const char *text;
    size_t length;
} json_t;

// The one value that a text is. STATUS_SYNTAX: not JSON, or nested deeper than JSON_DEPTH.
status_t json_read(const void *text, size_t length, json_t *value);

// The member of an object: the first of that name. false: not an object, or no such member.
bool json_member(json_t object, const char *key, json_t *value);

// The same, whatever the case of the key's letters.
bool json_member_any_case(json_t object, const char *key, json_t *value);

// Walks an array or object: *value is the first element when its length is 0, and then the next.
// *key is the member's name, quotes included; of an array it is empty. false: there is no more.
bool json_next(json_t container, json_t *key, json_t *value);

// A number that is whole and fits.
bool json_u32(json_t value, uint32_t *number);

// A string's characters as UTF-8 with NUL. Returns their count; STATUS_VALUE: not a string, or one
// with NUL or half a surrogate in it; STATUS_SPACE: more than size - 1.
int json_string(json_t value, char *out, size_t size);

#endif
