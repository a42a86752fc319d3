// SPDX-License-Identifier: MIT
#include "crc16.h"

// Two table-free nibble steps a byte: x = crc[15:8] ^ byte; x ^= x >> 4; then the polynomial's
// terms x^12, x^5 and 1 fall out as shifts.
uint16_t crc16_update(uint16_t crc, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    uint32_t sum = crc;
    for (size_t i = 0; i < length; i++) {
        uint32_t x = (sum >> 8) ^ at[i];
        x ^= x >> 4;
        sum = ((sum << 8) ^ (x << 12) ^ (x << 5) ^ x) & 0xFFFFu;
    }
    return (uint16_t)sum;
}
