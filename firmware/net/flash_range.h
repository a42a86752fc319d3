// SPDX-License-Identifier: MIT
// Erases flash by range instead of by sector. From one task at a time.
#ifndef FLASH_RANGE_H
#define FLASH_RANGE_H

#include "status.h"

#include <stdint.h>

// Erases every sector that has a byte from `at` up to before `end`. Returns as
// platform_flash_erase().
status_t flash_erase_range(uintptr_t at, uintptr_t end);

#endif
