// SPDX-License-Identifier: MIT
// Boot ROM of the mps2 board, at address 0. Starts the image in flash if its vectors can be right;
// otherwise says so on UART0 and waits, so that a blank or spoiled flash is told from a dead board.
#include <stdbool.h>
#include <stdint.h>

enum {
    FLASH_START = 0x21000000,
    FLASH_END = 0x21FFF000,
    RAM_START = 0x20000000,
    RAM_END = 0x20400000,
};

extern uint8_t __stack_end[];

_Noreturn void rom_reset(void);
_Noreturn void rom_wait(void);

static void rom_print(const char *text)
{
    volatile uint32_t *uart = (volatile uint32_t *)0x40004000u;
    uart[4] = 217; // BAUDDIV: 25 MHz / 115200
    uart[2] = 1;   // CTRL: transmit
    for (; *text != '\0'; text++) {
        while ((uart[1] & 1u) != 0u) {
        }
        uart[0] = (uint8_t)*text;
    }
}

static bool rom_image_valid(uint32_t stack, uint32_t entry)
{
    return stack > RAM_START && stack <= RAM_END && (stack & 7u) == 0u && (entry & 1u) == 1u &&
           entry > FLASH_START && entry < FLASH_END;
}

_Noreturn void rom_wait(void)
{
    for (;;) {
        __asm volatile("wfi");
    }
}

_Noreturn void rom_reset(void)
{
    const volatile uint32_t *vectors = (const volatile uint32_t *)FLASH_START;
    uint32_t stack = vectors[0];
    uint32_t entry = vectors[1];
    if (!rom_image_valid(stack, entry)) {
        rom_print("rom: no image at 0x21000000\r\n");
        rom_wait();
    }
    *(volatile uint32_t *)0xE000ED08u = FLASH_START; // VTOR
    __asm volatile("dsb\n\tisb\n\tmsr msp, %0\n\tbx %1" ::"r"(stack), "r"(entry));
    __builtin_unreachable();
}

__attribute__((section(".vectors"), used)) static void (*const s_vectors[16])(void) = {
    (void (*)(void))(uintptr_t)__stack_end,
    rom_reset,
    rom_wait,
    rom_wait,
    rom_wait,
    rom_wait,
    rom_wait,
};
