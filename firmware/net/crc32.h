// SPDX-License-Identifier: MIT
// CRC-32 (IEEE 802.3, as zlib's), by which a large payload is named on the console. Pure.
#ifndef CRC32_H
#define CRC32_H

#include <stddef.h>
#include <stdint.h>

// The check value of `length` bytes behind those that gave `crc`; 0 to begin with.
uint32_t crc32_update(uint32_t crc, const void *bytes, size_t length);

#endif
