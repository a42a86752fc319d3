// SPDX-License-Identifier: MIT
// The mps2 board's part of the platform contract, apart from the UART (see platform/platform.h).
#include "platform.h"

#include <string.h>

enum { FPGAIO_PRESCALE = 0x1C, COUNTER_TRIALS = 64 };

extern uint8_t __image_start[], __image_end[], __flash_start[], __flash_size[];
extern uint8_t __ram_start[], __ram_size[], __ram_used_end[];
extern uint8_t __handler_stack_start[], __handler_stack_size[];

void platform_init(void)
{
    *(volatile uint32_t *)(BOARD_FPGAIO_AT + FPGAIO_PRESCALE) = 0;
    uart0_init();
}

bool platform_counter_advances(void)
{
    const volatile uint32_t *counter = (const volatile uint32_t *)PLATFORM_COUNTER_AT;
    uint32_t first = *counter;
    for (int i = 0; i < COUNTER_TRIALS; i++) {
        if (*counter != first) {
            return true;
        }
    }
    return false;
}

const char *platform_clock(void)
{
    return "fixed";
}

platform_reset_t platform_reset_cause(void)
{
    return PLATFORM_RESET_UNKNOWN; // QEMU models no reset-cause register on this machine
}

// The factory page holds the serial number: printable ASCII, NUL padded to 16 bytes.
const char *platform_serial(void)
{
    static char s_serial[BOARD_SERIAL_LENGTH + 1];
    const char *page = (const char *)BOARD_FACTORY_PAGE;
    for (size_t i = 0; i < BOARD_SERIAL_LENGTH && page[i] != '\0'; i++) {
        if (page[i] <= ' ' || page[i] > '~') {
            return "none";
        }
        s_serial[i] = page[i];
    }
    return s_serial[0] != '\0' ? s_serial : "none";
}

status_t platform_entropy(uint8_t *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    return STATUS_ABSENT; // QEMU models no source of noise on this machine
}

int platform_region(size_t index, platform_region_t *region)
{
    const platform_region_t regions[] = {
        {"flash", (uintptr_t)__flash_start, (size_t)__flash_size,
         (size_t)(__image_end - __image_start)},
        {"factory", BOARD_FACTORY_PAGE, BOARD_FACTORY_LENGTH, strlen(platform_serial())},
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
