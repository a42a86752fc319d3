// SPDX-License-Identifier: MIT
// The counter of all timings: the core's cycle counter (Armv7-M ARM, C1.8), or TIM2 (RM0090,
// chapter 18) where that does not advance, as in an emulator.
#include "platform.h"

typedef struct {
    volatile uint32_t control;
    volatile uint32_t reload;
    volatile uint32_t value; // counts down, 24 bits
} systick_t;

#define DEMCR       (*(volatile uint32_t *)0xE000EDFCu)
#define DWT_CTRL    (*(volatile uint32_t *)0xE0001000u)
#define DWT_CYCCNT  (*(volatile uint32_t *)0xE0001004u)
#define SYSTICK     ((systick_t *)0xE000E010u)
#define RCC_APB1ENR (*(volatile uint32_t *)0x40023840u)
#define TIM2_CR1    (*(volatile uint32_t *)0x40000000u)
#define TIM2_EGR    (*(volatile uint32_t *)0x40000014u)
#define TIM2_CNT    (*(volatile uint32_t *)0x40000024u)
#define TIM2_PSC    (*(volatile uint32_t *)0x40000028u)
#define TIM2_ARR    (*(volatile uint32_t *)0x4000002Cu)

enum {
    DEMCR_TRACE = 1u << 24,
    DWT_COUNT = 1u << 0,
    APB1_TIM2 = 1u << 0,
    TIM_ENABLE = 1u << 0,
    TIM_UPDATE = 1u << 0,
    SYSTICK_MAX = 0xFFFFFF,
    SYSTICK_RUN = 5, // enabled, core clock, no interrupt
    TRIALS = 64,
    MHZ = 1000000,
};

const char *g_board_counter_name = "dwt";
uint32_t g_board_counter_hz;
const volatile uint32_t *g_board_counter = &DWT_CYCCNT;

bool platform_counter_advances(void)
{
    uint32_t first = *g_board_counter;
    for (int i = 0; i < TRIALS; i++) {
        if (*g_board_counter != first) {
            return true;
        }
    }
    return false;
}

static void counter_start_cycles(void)
{
    DEMCR |= DEMCR_TRACE;
    DWT_CYCCNT = 0;
    DWT_CTRL |= DWT_COUNT;
}

static void counter_start_tim2(void)
{
    RCC_APB1ENR |= APB1_TIM2;
    (void)RCC_APB1ENR; // the bus needs two cycles
    TIM2_PSC = 0;
    TIM2_ARR = UINT32_MAX;
    TIM2_EGR = TIM_UPDATE;
    TIM2_CNT = 0;
    TIM2_CR1 = TIM_ENABLE;
}

// TIM2's clock by the core's, over ten milliseconds of SysTick, which is left as the kernel expects
// it.
static uint32_t counter_measure_tim2(void)
{
    SYSTICK->reload = SYSTICK_MAX;
    SYSTICK->value = 0;
    SYSTICK->control = SYSTICK_RUN;
    while (SYSTICK->value == 0u) {
    }
    uint32_t begin = TIM2_CNT;
    uint32_t first = SYSTICK->value;
    uint32_t cycles = 0;
    while (cycles < g_board_core_hz / 100u) {
        cycles = (first - SYSTICK->value) & SYSTICK_MAX;
    }
    uint32_t ticks = TIM2_CNT - begin;
    SYSTICK->control = 0;
    SYSTICK->value = 0;
    return (uint32_t)((uint64_t)ticks * g_board_core_hz / cycles);
}

// What the clock tree says, if the measurement agrees within 1 %; else what was measured, in whole
// MHz: an emulator may run the timer at a clock of its own.
static uint32_t counter_tim2_hz(void)
{
    uint32_t stated = clock_apb1_timer_hz();
    uint32_t measured = counter_measure_tim2();
    uint32_t apart = measured > stated ? measured - stated : stated - measured;
    return apart <= stated / 100u ? stated : (measured + MHZ / 2) / MHZ * MHZ;
}

void counter_start(void)
{
    counter_start_cycles();
    g_board_counter_hz = g_board_core_hz;
    if (platform_counter_advances()) {
        return;
    }
    counter_start_tim2();
    g_board_counter = &TIM2_CNT;
    g_board_counter_name = "tim2";
    g_board_counter_hz = counter_tim2_hz();
}
