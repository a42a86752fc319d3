// SPDX-License-Identifier: MIT
#include "pattern.h"

static uint8_t pattern_byte(uint32_t seed, uint32_t at)
{
    uint32_t x = seed + at / 4u * 0x9E3779B9u;
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    x ^= x >> 16;
    return (uint8_t)(x >> 8u * (at % 4u));
}

void pattern_fill(uint32_t seed, uint32_t offset, void *to, size_t length)
{
    uint8_t *out = to;
    for (size_t i = 0; i < length; i++) {
        out[i] = pattern_byte(seed, offset + (uint32_t)i);
    }
}

size_t pattern_match(uint32_t seed, uint32_t offset, const void *bytes, size_t length)
{
    const uint8_t *in = bytes;
    size_t same = 0;
    while (same < length && in[same] == pattern_byte(seed, offset + (uint32_t)same)) {
        same++;
    }
    return same;
}
