// SPDX-License-Identifier: MIT
// The flash driver of mps2 images with OTA: the contract of platform.h, in pages and units, over
// the model of NOR flash.
#include "nor_model.h"
#include "platform.h"

#include <string.h>

// By name for the rig; where it lies is the linker script's matter.
extern nor_control_t g_nor_control;
__attribute__((section(".shared_nor"), used)) nor_control_t g_nor_control;

enum { FLASH_AT = 0x21000000, FLASH_BYTES = 0x00FFF000, WORD_BYTES = 4 };

#define SYSTICK_CONTROL_AT 0xE000E010u // ARMv7-M ARM, B3.3.3: counts, and interrupts
#define SYSTICK_INTERRUPTS 3u

static nor_t nor_device(void)
{
    nor_begin(&g_nor_control);
    return (nor_t){(uint8_t *)FLASH_AT, FLASH_AT, FLASH_BYTES, &g_nor_control};
}

void flash_phase_set(flash_phase_t phase)
{
    nor_begin(&g_nor_control);
    g_nor_control.phase = phase;
}

// Where a tick comes the core sleeps until the next one: a core that spins takes the processor from
// the rig that is to let it go on.
static void nor_rest(void)
{
    const volatile uint32_t *systick_control = (const volatile uint32_t *)SYSTICK_CONTROL_AT;
    if ((*systick_control & SYSTICK_INTERRUPTS) == SYSTICK_INTERRUPTS) {
        __asm volatile("wfi" ::: "memory");
    }
}

__attribute__((noinline)) void nor_stop(nor_control_t *control, uint32_t stop)
{
    volatile nor_control_t *shared = control;
    shared->stopped = stop;
    while (shared->go_on == 0u) {
        nor_rest();
    }
    shared->go_on = 0;
    shared->stopped = 0;
}

status_t platform_flash_sector(uintptr_t address, platform_sector_t *sector)
{
    if (address < FLASH_AT || address - FLASH_AT >= FLASH_BYTES) {
        return STATUS_RANGE;
    }
    *sector = (platform_sector_t){address - address % NOR_SECTOR_BYTES, NOR_SECTOR_BYTES};
    return STATUS_OK;
}

status_t platform_flash_erase(uintptr_t start)
{
    nor_t nor = nor_device();
    return nor_erase(&nor, (uint32_t)start);
}

// One program: what lies in the page from `address` on, filled up to whole units with ones, which
// change nothing.
static status_t flash_program(const nor_t *nor, uint32_t address, const uint8_t *bytes,
                              uint32_t length)
{
    uint8_t page[NOR_PAGE_BYTES];
    uint32_t before = address % NOR_UNIT_BYTES;
    uint32_t whole = (before + length + NOR_UNIT_BYTES - 1u) / NOR_UNIT_BYTES * NOR_UNIT_BYTES;
    memset(page, 0xFF, whole);
    memcpy(page + before, bytes, length);
    status_t status = nor_program(nor, address - before, page, whole);
    if (status != STATUS_OK) {
        return status;
    }
    return memcmp((const void *)(uintptr_t)address, bytes, length) == 0 ? STATUS_OK : STATUS_FLASH;
}

static bool flash_takes(uintptr_t address, const uint32_t *words, size_t length)
{
    const uint32_t *flash = (const uint32_t *)address;
    for (size_t i = 0; i < length / WORD_BYTES; i++) {
        uint32_t word;
        memcpy(&word, (const uint8_t *)words + i * WORD_BYTES, sizeof word);
        if ((word & ~flash[i]) != 0u) {
            return false;
        }
    }
    return true;
}

status_t platform_flash_write(uintptr_t address, const uint32_t *words, size_t length)
{
    if (address % WORD_BYTES != 0u || length % WORD_BYTES != 0u || address < FLASH_AT ||
        address - FLASH_AT > FLASH_BYTES || length > FLASH_BYTES - (address - FLASH_AT)) {
        return STATUS_RANGE;
    }
    if (!flash_takes(address, words, length)) {
        return STATUS_FLASH;
    }
    nor_t nor = nor_device();
    const uint8_t *bytes = (const uint8_t *)words;
    for (size_t done = 0; done < length;) {
        size_t room = NOR_PAGE_BYTES - (address + done) % NOR_PAGE_BYTES;
        size_t piece = length - done < room ? length - done : room;
        status_t status =
            flash_program(&nor, (uint32_t)(address + done), bytes + done, (uint32_t)piece);
        if (status != STATUS_OK) {
            return status;
        }
        done += piece;
    }
    return STATUS_OK;
}
