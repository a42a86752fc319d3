// SPDX-License-Identifier: MIT
#include "pattern.h"

void pattern_start(pattern_t *pattern, uint32_t seed)
{
    *pattern = (pattern_t){seed != 0u ? seed : 0x9E3779B9u, 0};
}

static uint8_t pattern_next(pattern_t *pattern)
{
    if (pattern->left == 0u) {
        uint32_t x = pattern->state;
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        pattern->state = x;
        pattern->left = 4;
    }
    uint32_t place = 4u - pattern->left--;
    return (uint8_t)(pattern->state >> (8u * place));
}

void pattern_read(pattern_t *pattern, uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bytes[i] = pattern_next(pattern);
    }
}

uint32_t pattern_crc32(uint32_t crc, const uint8_t *bytes, size_t length)
{
    crc = ~crc;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (unsigned bit = 0; bit < 8u; bit++) {
            crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}
