// SPDX-License-Identifier: MIT
// The stm32f4 board's part of the platform contract, apart from clock, counter and USART (see
// platform/platform.h): reset cause (RM0090, 7.3.21), unique id (39.1), memory.
#include "platform.h"

#include "line.h"

enum {
    CSR_CLEAR = 1u << 24,
    CSR_BROWN_OUT = 1u << 25,
    CSR_PIN = 1u << 26,
    CSR_POWER = 1u << 27,
    CSR_SOFTWARE = 1u << 28,
    CSR_WATCHDOGS = 3u << 29, // independent and window watchdog
    UNIQUE_BYTES = 12,
    BYTE_DIGITS = 2,
    DEBUG_IN_SLEEP = 1u << 0,
};

#define RCC_CSR   (*(volatile uint32_t *)0x40023874u)
#define DBGMCU_CR (*(volatile uint32_t *)0xE0042004u)
#define UNIQUE_ID ((const volatile uint8_t *)0x1FFF7A10u)

extern uint8_t __image_start[], __image_end[], __flash_start[], __flash_size[];
extern uint8_t __ram_start[], __ram_size[], __ram_used_end[];
extern uint8_t __handler_stack_start[], __handler_stack_size[];

static uint32_t s_reset_flags;

// The flags are kept and cleared first of all: they add up over resets.
void platform_init(void)
{
    s_reset_flags = RCC_CSR;
    RCC_CSR |= CSR_CLEAR;
    DBGMCU_CR |= DEBUG_IN_SLEEP; // the idle task sleeps, and the probe must still read memory
    clock_start();
    counter_start();
    usart1_init();
}

// Every reset pulls the pin as well, so that flag is the last to be believed.
platform_reset_t platform_reset_cause(void)
{
    if ((s_reset_flags & (CSR_POWER | CSR_BROWN_OUT)) != 0u) {
        return PLATFORM_RESET_POWER;
    }
    if ((s_reset_flags & CSR_WATCHDOGS) != 0u) {
        return PLATFORM_RESET_WATCHDOG;
    }
    bool pin = (s_reset_flags & CSR_PIN) != 0u && (s_reset_flags & CSR_SOFTWARE) == 0u;
    return pin ? PLATFORM_RESET_PIN : PLATFORM_RESET_UNKNOWN;
}

// The unique id byte by byte, as a probe reads it.
const char *platform_serial(void)
{
    static char s_serial[UNIQUE_BYTES * BYTE_DIGITS + 1];
    uint8_t ones = UINT8_MAX;
    uint8_t zeros = 0;
    for (uint32_t i = 0; clock_is_controlled() && i < UNIQUE_BYTES; i++) {
        uint8_t byte = UNIQUE_ID[i];
        ones &= byte;
        zeros |= byte;
        line_format_hex(byte, BYTE_DIGITS, s_serial + i * BYTE_DIGITS);
    }
    return zeros == 0u || ones == UINT8_MAX ? "none" : s_serial;
}

int platform_region(size_t index, platform_region_t *region)
{
    const platform_region_t regions[] = {
        {"flash", (uintptr_t)__flash_start, (size_t)__flash_size,
         (size_t)(__image_end - __image_start)},
        {"ram", (uintptr_t)__ram_start, (size_t)__ram_size, (size_t)(__ram_used_end - __ram_start)},
        {"handler_stack", (uintptr_t)__handler_stack_start, (size_t)__handler_stack_size,
         (size_t)__handler_stack_size - platform_handler_stack_unused()},
    };
    if (index >= sizeof regions / sizeof regions[0]) {
        return 0;
    }
    *region = regions[index];
    return 1;
}

void platform_bench_irq_start(void)
{
    platform_irq_enable(PLATFORM_BENCH_IRQ);
}
