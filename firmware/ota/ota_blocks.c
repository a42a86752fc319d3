// SPDX-License-Identifier: MIT
#include "ota_blocks.h"

#include <string.h>

static bool blocks_bit(const uint8_t *bits, uint32_t index)
{
    return ((uint32_t)bits[index / 8u] >> index % 8u & 1u) != 0u;
}

static void blocks_set(uint8_t *bits, uint32_t index)
{
    bits[index / 8u] = (uint8_t)(bits[index / 8u] | 1u << index % 8u);
}

status_t ota_blocks_init(ota_blocks_t *blocks, uint32_t file_bytes, uint32_t block_bytes)
{
    memset(blocks, 0, sizeof *blocks);
    if (file_bytes == 0u || block_bytes < OTA_BLOCK_LEAST_BYTES ||
        block_bytes > OTA_BLOCK_MOST_BYTES) {
        return STATUS_RANGE;
    }
    uint32_t total = (file_bytes - 1u) / block_bytes + 1u;
    if (total > OTA_BLOCKS_MOST) {
        return STATUS_RANGE;
    }
    blocks->file_bytes = file_bytes;
    blocks->block_bytes = block_bytes;
    blocks->total = total;
    return STATUS_OK;
}

bool ota_blocks_are_good(const ota_blocks_t *blocks)
{
    ota_blocks_t fresh;
    uint32_t got = 0;
    if (ota_blocks_init(&fresh, blocks->file_bytes, blocks->block_bytes) != STATUS_OK ||
        fresh.total != blocks->total) {
        return false;
    }
    for (uint32_t i = 0; i < OTA_BLOCKS_MOST; i++) {
        bool has = blocks_bit(blocks->bits, i);
        if (has && i >= blocks->total) {
            return false;
        }
        got += has ? 1u : 0u;
    }
    return got == blocks->got;
}

uint32_t ota_blocks_length(const ota_blocks_t *blocks, uint32_t index)
{
    if (index >= blocks->total) {
        return 0;
    }
    uint32_t left = blocks->file_bytes - index * blocks->block_bytes;
    return left < blocks->block_bytes ? left : blocks->block_bytes;
}

bool ota_blocks_has(const ota_blocks_t *blocks, uint32_t index)
{
    return index < blocks->total && blocks_bit(blocks->bits, index);
}

int ota_blocks_put(ota_blocks_t *blocks, uint32_t index)
{
    if (index >= blocks->total) {
        return STATUS_RANGE;
    }
    if (blocks_bit(blocks->bits, index)) {
        return 0;
    }
    blocks_set(blocks->bits, index);
    blocks->got++;
    return 1;
}

bool ota_blocks_are_all(const ota_blocks_t *blocks)
{
    return blocks->got == blocks->total;
}

void ota_blocks_missing(const ota_blocks_t *blocks, uint32_t most, ota_window_t *window)
{
    memset(window, 0, sizeof *window);
    for (uint32_t i = 0; i < blocks->total && window->count < most; i++) {
        if (blocks_bit(blocks->bits, i)) {
            continue;
        }
        window->offset = window->count == 0u ? i : window->offset;
        blocks_set(window->bitmap, i - window->offset);
        window->bytes = (i - window->offset) / 8u + 1u;
        window->count++;
    }
}
