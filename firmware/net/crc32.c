// SPDX-License-Identifier: MIT
#include "crc32.h"

uint32_t crc32_update(uint32_t crc, const void *bytes, size_t length)
{
    const uint8_t *in = bytes;
    crc = ~crc;
    for (size_t i = 0; i < length; i++) {
        crc ^= in[i];
        for (unsigned bit = 0; bit < 8u; bit++) {
            crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}
