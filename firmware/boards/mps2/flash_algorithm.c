// SPDX-License-Identifier: MIT
// CMSIS flash algorithm of the mps2 boards' RAM-backed flash, with the manners of NOR flash: erase
// sets every bit of a 4 KiB sector, programming only clears bits and refuses to set one.
//
// A debug probe loads PrgCode into RAM, calls Init, EraseSector, ProgramPage and UnInit, and takes
// the return value: 0 is success, anything else the codes below. Interface and device description
// follow the CMSIS-Pack flash algorithm specification (FlashOS.h). The factory page behind the
// flash is not part of the device: erasing or programming there is refused.
//
// Pages are 16 KiB, above the 4 KiB sector: round trips of the probe dominate, not the copying.
#include <stdint.h>

enum {
    FLASH_START = 0x21000000,
    FLASH_SIZE = 0x00FFF000,
    FLASH_END = FLASH_START + FLASH_SIZE,
    SECTOR_SIZE = 4096,
    PAGE_SIZE = 16384,
    WORD_BYTES = 4,
    BLOCK_WORDS = 4,
};

// Return values beside 0.
enum {
    FAULT_RANGE = 1,     // outside the device
    FAULT_ALIGNMENT = 2, // not on a word, or not on a sector
    FAULT_NOT_ERASED = 3 // a 1 bit was wanted where the flash holds 0
};

typedef struct {
    uint32_t size;
    uint32_t offset;
} flash_sectors_t;

typedef struct {
    uint16_t version;
    char name[128];
    uint16_t type; // 1: on-chip
    uint32_t start;
    uint32_t size;
    uint32_t page_size;
    uint32_t reserved;
    uint8_t erased_value;
    uint8_t padding[3];
    uint32_t program_timeout_ms;
    uint32_t erase_timeout_ms;
    flash_sectors_t sectors[2];
} flash_device_t;

_Static_assert(sizeof(flash_device_t) == 160 + 16, "layout of FlashOS.h");

int Init(uint32_t address, uint32_t clock_hz, uint32_t function);
int UnInit(uint32_t function);
int EraseChip(void);
int EraseSector(uint32_t address);
int ProgramPage(uint32_t address, uint32_t length, const uint32_t *data);

extern const flash_device_t FlashDevice;

__attribute__((section("DevDscr"), used)) const flash_device_t FlashDevice = {
    .version = 0x0101,
    .name = "mps2 RAM-backed NOR 16 MiB",
    .type = 1,
    .start = FLASH_START,
    .size = FLASH_SIZE,
    .page_size = PAGE_SIZE,
    .erased_value = 0xFF,
    .program_timeout_ms = 5000,
    .erase_timeout_ms = 5000,
    .sectors = {{SECTOR_SIZE, 0}, {0xFFFFFFFFu, 0xFFFFFFFFu}},
};

// Tools want a data section to exist; nothing reads it.
__attribute__((section("PrgData"), used)) static uint32_t s_unused = 1;

#define ALGORITHM __attribute__((section("PrgCode"), used))

ALGORITHM int Init(uint32_t address, uint32_t clock_hz, uint32_t function)
{
    (void)address;
    (void)clock_hz;
    (void)function;
    return 0;
}

ALGORITHM int UnInit(uint32_t function)
{
    (void)function;
    __asm volatile("dsb\n\tisb" ::: "memory");
    return 0;
}

ALGORITHM static inline void algorithm_fill(volatile uint32_t *at, uint32_t bytes)
{
    for (volatile uint32_t *end = at + bytes / WORD_BYTES; at < end; at += BLOCK_WORDS) {
        at[0] = 0xFFFFFFFFu;
        at[1] = 0xFFFFFFFFu;
        at[2] = 0xFFFFFFFFu;
        at[3] = 0xFFFFFFFFu;
    }
}

ALGORITHM int EraseChip(void)
{
    algorithm_fill((volatile uint32_t *)FLASH_START, FLASH_SIZE);
    return 0;
}

ALGORITHM int EraseSector(uint32_t address)
{
    if (address < FLASH_START || address >= FLASH_END) {
        return FAULT_RANGE;
    }
    if (address % SECTOR_SIZE != 0u) {
        return FAULT_ALIGNMENT;
    }
    algorithm_fill((volatile uint32_t *)address, SECTOR_SIZE);
    return 0;
}

// Nothing is written unless all of it can be: a refused page is left as it was. Bits that are to be
// set and are not show as `want & ~have`, collected without a branch per word.
ALGORITHM int ProgramPage(uint32_t address, uint32_t length, const uint32_t *data)
{
    if (address < FLASH_START || address > FLASH_END || length > FLASH_END - address) {
        return FAULT_RANGE;
    }
    if (address % WORD_BYTES != 0u || (uintptr_t)data % WORD_BYTES != 0u) {
        return FAULT_ALIGNMENT;
    }
    uint32_t *flash = (uint32_t *)address;
    uint32_t words = (length + WORD_BYTES - 1u) / WORD_BYTES;
    uint32_t missing = 0;
    for (uint32_t i = 0; i < words; i++) {
        missing |= data[i] & ~flash[i];
    }
    if (missing != 0u) {
        return FAULT_NOT_ERASED;
    }
    for (uint32_t i = 0; i < words; i++) {
        flash[i] = data[i];
    }
    return 0;
}
