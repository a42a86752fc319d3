// SPDX-License-Identifier: MIT
// The mps2 boards' flash is RAM that QEMU keeps in a file; this gives it the manners of NOR flash,
// those of flash_algorithm.c: erasing sets every bit of a 4 KiB sector, programming only clears.
#include "platform.h"

enum { SECTOR_SIZE = 4096, WORD_BYTES = 4 };

extern uint8_t __flash_start[], __flash_size[];

static bool flash_has(uintptr_t address, size_t length)
{
    uintptr_t offset = address - (uintptr_t)__flash_start;
    size_t size = (size_t)__flash_size;
    return address >= (uintptr_t)__flash_start && offset <= size && length <= size - offset;
}

status_t platform_flash_sector(uintptr_t address, platform_sector_t *sector)
{
    if (!flash_has(address, 1)) {
        return STATUS_RANGE;
    }
    *sector = (platform_sector_t){address - address % SECTOR_SIZE, SECTOR_SIZE};
    return STATUS_OK;
}

status_t platform_flash_erase(uintptr_t start)
{
    if (start % SECTOR_SIZE != 0u || !flash_has(start, SECTOR_SIZE)) {
        return STATUS_RANGE;
    }
    for (volatile uint32_t *at = (volatile uint32_t *)start;
         at < (volatile uint32_t *)(start + SECTOR_SIZE); at++) {
        *at = UINT32_MAX;
    }
    return STATUS_OK;
}

// All of it or nothing.
status_t platform_flash_write(uintptr_t address, const uint32_t *words, size_t length)
{
    if (address % WORD_BYTES != 0u || length % WORD_BYTES != 0u || !flash_has(address, length)) {
        return STATUS_RANGE;
    }
    volatile uint32_t *flash = (volatile uint32_t *)address;
    for (size_t i = 0; i < length / WORD_BYTES; i++) {
        if ((words[i] & ~flash[i]) != 0u) {
            return STATUS_FLASH;
        }
    }
    for (size_t i = 0; i < length / WORD_BYTES; i++) {
        flash[i] = words[i];
    }
    return STATUS_OK;
}
