// SPDX-License-Identifier: MIT
// Four sectors of 16 KiB, one of 64 KiB, seven of 128 KiB.
#include "flash_sectors.h"

enum { SMALL = 16 * 1024, MIDDLE = 64 * 1024, LARGE = 128 * 1024, SMALL_COUNT = 4 };

static uint32_t flash_sector_size(uint32_t number)
{
    if (number < SMALL_COUNT) {
        return SMALL;
    }
    return number == SMALL_COUNT ? MIDDLE : LARGE;
}

bool flash_sector_of(uint32_t address, flash_sector_t *sector)
{
    uint32_t start = FLASH_SECTORS_START;
    for (uint32_t number = 0; address >= start && number < FLASH_SECTORS_COUNT; number++) {
        uint32_t size = flash_sector_size(number);
        if (address - start < size) {
            *sector = (flash_sector_t){number, start, size};
            return true;
        }
        start += size;
    }
    return false;
}
