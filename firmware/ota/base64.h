// SPDX-License-Identifier: MIT
// Base64 (RFC 4648, section 4) as it stands in JSON. Pure.
#ifndef BASE64_H
#define BASE64_H

#include "status.h"

#include <stddef.h>
#include <stdint.h>

// The bytes that `length` characters stand for; `\/` is read as `/`. Returns their count;
// STATUS_VALUE: not base64, or not padded to groups of four; STATUS_SPACE: more than `size`.
int32_t base64_decode(const char *text, size_t length, uint8_t *out, size_t size);

#endif
