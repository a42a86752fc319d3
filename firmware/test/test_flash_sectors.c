// SPDX-License-Identifier: MIT
// Which sector of the STM32F405's flash holds an address (RM0090, table 5).
#include "flash_sectors.h"
#include "host_units.h"

typedef struct {
    const char *about;
    uint32_t address;
    bool inside;
    flash_sector_t sector;
} sector_row_t;

static const sector_row_t s_rows[] = {
    {"before", 0x07FFFFFF, false, {0}},
    {"first byte", 0x08000000, true, {0, 0x08000000, 0x4000}},
    {"last byte of the first", 0x08003FFF, true, {0, 0x08000000, 0x4000}},
    {"second", 0x08004000, true, {1, 0x08004000, 0x4000}},
    {"last small one", 0x0800FFFF, true, {3, 0x0800C000, 0x4000}},
    {"the middle one", 0x08010000, true, {4, 0x08010000, 0x10000}},
    {"its last byte", 0x0801FFFF, true, {4, 0x08010000, 0x10000}},
    {"first large one", 0x08020000, true, {5, 0x08020000, 0x20000}},
    {"last large one", 0x080FFFFF, true, {11, 0x080E0000, 0x20000}},
    {"behind", 0x08100000, false, {0}},
    {"system memory", 0x1FFF0000, false, {0}},
    {"highest", 0xFFFFFFFF, false, {0}},
};

void test_flash_sectors(void)
{
    for (size_t i = 0; i < sizeof s_rows / sizeof s_rows[0]; i++) {
        const sector_row_t *row = &s_rows[i];
        flash_sector_t found = {0, 0, 0};
        CHECK(flash_sector_of(row->address, &found) == row->inside, row->about);
        CHECK(found.number == row->sector.number, row->about);
        CHECK(found.start == row->sector.start, row->about);
        CHECK(found.size == row->sector.size, row->about);
    }
}
