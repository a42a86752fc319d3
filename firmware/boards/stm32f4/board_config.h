// SPDX-License-Identifier: MIT
// Facts of the stm32f4 board (STM32F405, reference manual RM0090), for platform/platform.h.
#ifndef BOARD_CONFIG_H
#define BOARD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

// Set by clock_start() and counter_start(), first of all.
extern uint32_t g_board_core_hz;
extern const char *g_board_counter_name;
extern uint32_t g_board_counter_hz;
extern const volatile uint32_t *g_board_counter;

#define PLATFORM_CORE_HZ      g_board_core_hz
#define PLATFORM_COUNTER      g_board_counter_name
#define PLATFORM_COUNTER_HZ   g_board_counter_hz
#define PLATFORM_COUNTER_AT   ((uintptr_t)g_board_counter)
#define PLATFORM_BENCH_IRQ    79u         // CRYP on the STM32F415, nothing on this chip
#define PLATFORM_BAD_ADDRESS  0x30000000u // reserved, behind SRAM
#define PLATFORM_IRQ_PRIORITY 0x80u

#define BOARD_HSE_HZ 8000000u // the crystal: another board of this chip may have another one

// Brings the core to 168 MHz: from the crystal, else from the internal oscillator, else leaves it
// on the internal oscillator at 16 MHz. Never hangs. In clock.c.
void clock_start(void);

// Whether the chip has a clock controller. An emulator without one also lacks the system memory,
// and reading that would fault.
bool clock_is_controlled(void);

// Clocks of the peripheral buses, and of the timers on APB1 (RM0090, 7.2), in Hz.
uint32_t clock_apb2_hz(void);
uint32_t clock_apb1_timer_hz(void);

// Starts the cycle counter, or TIM2 where that does not advance. In counter.c.
void counter_start(void);

// Starts transmission on USART1: PA9, PA10, 115200 8N1. In usart.c.
void usart1_init(void);

// Interrupt of USART1, in usart.c.
void usart1_handler(void);

#endif
