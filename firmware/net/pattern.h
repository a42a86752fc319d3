// SPDX-License-Identifier: MIT
// Payloads that are named instead of carried over the console: by a length and a seed. Pure.
//
// Byte i of the pattern of `seed` is byte i % 4, least significant first, of the word
// mix(seed + (i / 4) * 0x9E3779B9), all in 32 bits, where mix(x) is
//   x ^= x >> 16; x *= 0x7FEB352D; x ^= x >> 15; x *= 0x846CA68B; x ^= x >> 16
// (the integer hash lowbias32 of C. Wellons). So any piece can be made without those before it.
#ifndef PATTERN_H
#define PATTERN_H

#include <stddef.h>
#include <stdint.h>

// Writes bytes offset to offset + length - 1 of the pattern of `seed`.
void pattern_fill(uint32_t seed, uint32_t offset, void *to, size_t length);

// How many of the bytes are those of the pattern, up to the first that is not.
size_t pattern_match(uint32_t seed, uint32_t offset, const void *bytes, size_t length);

#endif
