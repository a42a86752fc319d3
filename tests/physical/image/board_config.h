// SPDX-License-Identifier: MIT
// Of the firmware's platform values those that its platform.h and cmd_system.c ask for.
#ifndef BOARD_CONFIG_H
#define BOARD_CONFIG_H

#define PLATFORM_CORE_HZ   16000000u
#define PLATFORM_BENCH_IRQ 31

#endif
