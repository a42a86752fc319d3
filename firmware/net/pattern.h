// SPDX-License-Identifier: MIT
// Bytes that a length and a seed name, so that a large payload need not cross the console: both
// ends make it. Marsaglia's xorshift32 (13, 17, 5) from `seed`, or from 0x9E3779B9 where that is 0;
// each step gives four bytes, the lowest first. Pure.
#ifndef PATTERN_H
#define PATTERN_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t state;
    uint32_t left; // of the step's four bytes
} pattern_t;

// Starts at the first byte.
void pattern_start(pattern_t *pattern, uint32_t seed);

// The next `length` bytes.
void pattern_read(pattern_t *pattern, uint8_t *bytes, size_t length);

// CRC-32 (IEEE 802.3, as zlib's) of `length` bytes behind those that gave `crc`; 0 to begin with.
uint32_t pattern_crc32(uint32_t crc, const uint8_t *bytes, size_t length);

#endif
