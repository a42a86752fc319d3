// SPDX-License-Identifier: MIT
// CRC-16/CCITT-FALSE: polynomial 0x1021, initial 0xFFFF, not reflected, no final XOR; the CRC of
// "123456789" is 0x29B1. Pure; any context.
#ifndef CRC16_H
#define CRC16_H

#include <stddef.h>
#include <stdint.h>

#define CRC16_INITIAL 0xFFFFu

// The CRC of what `crc` covers followed by `length` bytes at `bytes`. Start with CRC16_INITIAL.
uint16_t crc16_update(uint16_t crc, const void *bytes, size_t length);

#endif
