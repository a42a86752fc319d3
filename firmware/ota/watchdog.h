// SPDX-License-Identifier: MIT
// The watchdog over an image's self-test: the bootloader starts it before it runs an image that was
// not confirmed, and whoever confirms stops it. When nobody does, the core is reset, and the
// bootloader goes back. boards/<name>/watchdog.c.
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include <stdint.h>

// Starts it, or starts its time anew.
void platform_watchdog_start(uint32_t ms);

void platform_watchdog_stop(void);

#endif
