// SPDX-License-Identifier: MIT
// Bytes as they cross the console: hexadecimal digits, at most HEX_MOST_BYTES a line. Pure.
#ifndef HEX_H
#define HEX_H

#include "status.h"

#include <stddef.h>
#include <stdint.h>

enum { HEX_MOST_BYTES = 128, HEX_TEXT_BYTES = 2 * HEX_MOST_BYTES + 1 };

// The bytes that the digits stand for, upper or lower case; returns their count. STATUS_VALUE: a
// character that is no digit, half a byte, or more than `room`.
int hex_parse(const char *text, uint8_t *bytes, size_t room);

// The digits of at most HEX_MOST_BYTES bytes, upper case, with NUL.
void hex_format(const uint8_t *bytes, size_t length, char text[HEX_TEXT_BYTES]);

#endif
