// SPDX-License-Identifier: MIT
// Main memory of the STM32F405's flash, 1 MiB in twelve sectors (RM0090, table 5), and what the
// controller's status register says (3.9.4). Pure.
#ifndef FLASH_SECTORS_H
#define FLASH_SECTORS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    FLASH_SECTORS_START = 0x08000000,
    FLASH_SECTORS_END = 0x08100000,
    FLASH_SECTORS_COUNT = 12,
};

// Bits of the status register.
enum {
    FLASH_STATUS_ERRORS = 0xF2, // operation, write protection, alignment, parallelism, sequence
    FLASH_STATUS_BUSY = 1 << 16,
};

typedef struct {
    uint32_t number; // as the controller counts them
    uint32_t start;
    uint32_t size;
} flash_sector_t;

// The sector that holds `address`; false outside main memory.
bool flash_sector_of(uint32_t address, flash_sector_t *sector);

#endif
