// SPDX-License-Identifier: MIT
// The flash controller of the STM32F405 (RM0090, 3.6 and 3.9): erase by sector, program by word.
//
// The chip has one bank: while it erases or programs, every fetch from flash waits, this code's own
// too, up to two seconds for a large sector. Interrupts wait as long. Words of 32 bits need a
// supply of 2.7 V or more, as 168 MHz do. Not yet run on silicon; QEMU models no such controller,
// which clock_is_controlled() tells.
#include "platform.h"

#include "flash_sectors.h"

typedef struct {
    volatile uint32_t access;     // ACR
    volatile uint32_t key;        // KEYR
    volatile uint32_t option_key; // OPTKEYR
    volatile uint32_t status;     // SR
    volatile uint32_t control;    // CR
} flash_controller_t;

enum {
    CONTROL_PROGRAM = 1u << 0,
    CONTROL_ERASE_SECTOR = 1u << 1,
    CONTROL_SECTOR_SHIFT = 3,
    CONTROL_BY_WORD = 2u << 8,
    CONTROL_START = 1u << 16,

    ACCESS_CACHES = 3u << 9,        // ICEN, DCEN
    ACCESS_CACHES_RESET = 3u << 11, // ICRST, DCRST

    WORD_BYTES = 4,

    // Polls of the busy bit, each 6 cycles of 168 MHz or more: 4 s. The data sheet allows a sector
    // of 128 KiB 2 s.
    BUSY_POLLS = 112000000,
};

#define FLASH        ((flash_controller_t *)0x40023C00u)
#define KEY_1        0x45670123u
#define KEY_2        0xCDEF89ABu
#define CONTROL_LOCK (1u << 31)

// Waits for the end; true if there was one, and no error.
static bool flash_ended_well(void)
{
    for (uint32_t i = 0; i < BUSY_POLLS; i++) {
        uint32_t status = FLASH->status;
        if ((status & FLASH_STATUS_BUSY) == 0u) {
            return (status & FLASH_STATUS_ERRORS) == 0u;
        }
    }
    return false;
}

// Errors of an earlier operation would refuse this one.
static bool flash_open(void)
{
    (void)flash_ended_well();
    FLASH->status = FLASH_STATUS_ERRORS;
    if ((FLASH->control & CONTROL_LOCK) != 0u) {
        FLASH->key = KEY_1;
        FLASH->key = KEY_2;
    }
    return (FLASH->control & CONTROL_LOCK) == 0u;
}

static void flash_lock(void)
{
    FLASH->control = CONTROL_LOCK;
}

// The caches still hold what was there before (RM0090, 3.5.2); they can be reset only while off.
static void flash_forget_cached(void)
{
    uint32_t access = FLASH->access;
    FLASH->access = access & ~(uint32_t)ACCESS_CACHES;
    FLASH->access |= ACCESS_CACHES_RESET;
    FLASH->access &= ~(uint32_t)ACCESS_CACHES_RESET;
    FLASH->access = access;
}

static bool flash_is_blank(const flash_sector_t *sector)
{
    const volatile uint32_t *at = (const volatile uint32_t *)(uintptr_t)sector->start;
    for (uint32_t i = 0; i < sector->size / WORD_BYTES; i++) {
        if (at[i] != UINT32_MAX) {
            return false;
        }
    }
    return true;
}

status_t platform_flash_sector(uintptr_t address, platform_sector_t *sector)
{
    flash_sector_t found;
    if (!clock_is_controlled()) {
        return STATUS_ABSENT;
    }
    if (!flash_sector_of((uint32_t)address, &found)) {
        return STATUS_RANGE;
    }
    *sector = (platform_sector_t){found.start, found.size};
    return STATUS_OK;
}

status_t platform_flash_erase(uintptr_t start)
{
    flash_sector_t sector;
    if (!clock_is_controlled()) {
        return STATUS_ABSENT;
    }
    if (!flash_sector_of((uint32_t)start, &sector) || sector.start != start) {
        return STATUS_RANGE;
    }
    bool good = flash_open();
    if (good) {
        FLASH->control =
            CONTROL_ERASE_SECTOR | CONTROL_BY_WORD | sector.number << CONTROL_SECTOR_SHIFT;
        FLASH->control |= CONTROL_START;
        good = flash_ended_well();
    }
    flash_lock();
    flash_forget_cached();
    return good && flash_is_blank(&sector) ? STATUS_OK : STATUS_FLASH;
}

static bool flash_program_word(volatile uint32_t *at, uint32_t word)
{
    *at = word;
    __asm volatile("dsb" ::: "memory");
    return flash_ended_well() && *at == word;
}

static bool flash_takes(const volatile uint32_t *at, const uint32_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((words[i] & ~at[i]) != 0u) {
            return false;
        }
    }
    return true;
}

status_t platform_flash_write(uintptr_t address, const uint32_t *words, size_t length)
{
    if (!clock_is_controlled()) {
        return STATUS_ABSENT;
    }
    if (address % WORD_BYTES != 0u || length % WORD_BYTES != 0u || address < FLASH_SECTORS_START ||
        address > FLASH_SECTORS_END || length > FLASH_SECTORS_END - address) {
        return STATUS_RANGE;
    }
    volatile uint32_t *at = (volatile uint32_t *)address;
    bool good = flash_takes(at, words, length / WORD_BYTES) && flash_open();
    if (good) {
        FLASH->control = CONTROL_PROGRAM | CONTROL_BY_WORD;
    }
    for (size_t i = 0; good && i < length / WORD_BYTES; i++) {
        good = flash_program_word(&at[i], words[i]);
    }
    flash_lock();
    return good ? STATUS_OK : STATUS_FLASH;
}
