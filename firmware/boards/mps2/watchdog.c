// SPDX-License-Identifier: MIT
// The CMSDK APB watchdog of the mps2 boards (Arm DDI 0479, 4.5), clocked by the core: at most
// 171 s. It raises the NMI at the end of its time and resets at the end of another one.
#include "watchdog.h"

#include "board_config.h"

enum { UNLOCK = 0x1ACCE551, INTERRUPT = 1u << 0, RESET = 1u << 1 };

typedef struct {
    volatile uint32_t load;
    volatile uint32_t value;
    volatile uint32_t control;
    volatile uint32_t clear;
} cmsdk_watchdog_t;

#define WATCHDOG      ((cmsdk_watchdog_t *)BOARD_WATCHDOG_AT)
#define WATCHDOG_LOCK ((volatile uint32_t *)(BOARD_WATCHDOG_AT + 0xC00u))

void platform_watchdog_start(uint32_t ms)
{
    *WATCHDOG_LOCK = UNLOCK;
    WATCHDOG->load = ms * (PLATFORM_CORE_HZ / 1000u);
    WATCHDOG->control = INTERRUPT | RESET;
    *WATCHDOG_LOCK = 0;
}

void platform_watchdog_stop(void)
{
    *WATCHDOG_LOCK = UNLOCK;
    WATCHDOG->control = 0;
    WATCHDOG->clear = 1;
    *WATCHDOG_LOCK = 0;
}
