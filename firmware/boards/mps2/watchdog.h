// SPDX-License-Identifier: MIT
// The CMSDK APB watchdog of the mps2 boards (Arm DDI 0479, 4.5), clocked by the core. When it is
// not stopped in time it raises the NMI, and after the same time again it resets.
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include "board_config.h"

#include <stdint.h>

enum { WATCHDOG_AT = 0x40008000, WATCHDOG_UNLOCK = 0x1ACCE551, WATCHDOG_TICKS_PER_MS = 25000 };

static inline volatile uint32_t *watchdog_register(uint32_t offset)
{
    return (volatile uint32_t *)(uintptr_t)(WATCHDOG_AT + offset);
}

// Starts it, or starts its time anew; at most 171 s.
static inline void watchdog_start(uint32_t ms)
{
    *watchdog_register(0xC00) = WATCHDOG_UNLOCK;
    *watchdog_register(0x000) = ms * WATCHDOG_TICKS_PER_MS; // WDOGLOAD
    *watchdog_register(0x008) = 3;                          // WDOGCONTROL: interrupt, reset
    *watchdog_register(0xC00) = 0;
}

static inline void watchdog_stop(void)
{
    *watchdog_register(0xC00) = WATCHDOG_UNLOCK;
    *watchdog_register(0x008) = 0;
    *watchdog_register(0x00C) = 1; // WDOGINTCLR
    *watchdog_register(0xC00) = 0;
}

#endif
