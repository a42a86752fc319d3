// SPDX-License-Identifier: MIT
// Which blocks of a file are there. Pure. A block is `block` bytes long, the last one what is left.
#ifndef OTA_BLOCKS_H
#define OTA_BLOCKS_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OTA_BLOCKS_MOST = 4096,
    OTA_BLOCK_LEAST_BYTES = 256,
    OTA_BLOCK_MOST_BYTES = 131072,
    OTA_REQUEST_BLOCKS_MOST = 128,
    OTA_REQUEST_BYTES_MOST = 128 * 1024, // what one request may ask for
};

typedef struct {
    uint32_t file_bytes, block_bytes;
    uint32_t total, got;
    uint8_t bits[OTA_BLOCKS_MOST / 8]; // bit k of byte j: block 8 j + k is there
} ota_blocks_t;

// A file of which nothing is there. STATUS_RANGE: no byte, a block size that the service does not
// know, or more blocks than are kept account of.
status_t ota_blocks_init(ota_blocks_t *blocks, uint32_t file_bytes, uint32_t block_bytes);

// Whether what is kept agrees with itself: sizes, counts, no bit behind the last block.
bool ota_blocks_are_good(const ota_blocks_t *blocks);

// The length that a block must have; 0: there is no such block.
uint32_t ota_blocks_length(const ota_blocks_t *blocks, uint32_t index);

bool ota_blocks_has(const ota_blocks_t *blocks, uint32_t index);

// Notes that a block is there. 1: it was not before; 0: it was; STATUS_RANGE.
int ota_blocks_put(ota_blocks_t *blocks, uint32_t index);

bool ota_blocks_are_all(const ota_blocks_t *blocks);

// The blocks to ask for next: at most `most` that are missing, from the first one on. Bit k of the
// bitmap, least significant first, is block *offset + k.
typedef struct {
    uint32_t offset, count;
    size_t bytes; // of the bitmap
    uint8_t bitmap[OTA_BLOCKS_MOST / 8];
} ota_window_t;

// count 0: nothing is missing.
void ota_blocks_missing(const ota_blocks_t *blocks, uint32_t most, ota_window_t *window);

#endif
