// SPDX-License-Identifier: MIT
#include "flash_range.h"

#include "platform.h"

status_t flash_erase_range(uintptr_t at, uintptr_t end)
{
    status_t status = STATUS_OK;
    while (at < end && status == STATUS_OK) {
        platform_sector_t sector;
        status = platform_flash_sector(at, &sector);
        status = status == STATUS_OK ? platform_flash_erase(sector.start) : status;
        at = sector.start + sector.size;
    }
    return status;
}
