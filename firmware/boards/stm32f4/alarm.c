// SPDX-License-Identifier: MIT
// Alarms of the STM32F405: TIM5 (32 bits) and TIM4 (16 bits) on APB1 (RM0090, chapter 18), which
// count up; TIM2 may be the counter.
//
// QEMU 7.2 models these timers, and their interrupt, but not when it comes: it adds the machine's
// age to the delay (armed for 1,000, 3,001 and 9,004 ticks at an age of 160, 12,376 and 95,704, the
// interrupt came after 1,272, 15,496 and 104,824). So an alarm is tried when it is started.
#include "platform.h"

typedef struct {
    volatile uint32_t control; // CR1
    volatile uint32_t unused_1[2];
    volatile uint32_t interrupt_enable; // DIER
    volatile uint32_t status;           // SR
    volatile uint32_t event;            // EGR
    volatile uint32_t unused_2[3];
    volatile uint32_t count; // CNT
    volatile uint32_t prescaler;
    volatile uint32_t reload; // ARR
} timer_t;

enum {
    CONTROL_ENABLE = 1u << 0,
    CONTROL_ONLY_OVERFLOW = 1u << 2, // URS: setting UG raises no interrupt
    CONTROL_ONE_PULSE = 1u << 3,
    UPDATE = 1u << 0, // UIE, UIF, UG
    APB1_TIMERS = 1u << 2 | 1u << 3,
    TIM4_IRQ = 30,
    TIM5_IRQ = 50,
    TRIAL_TICKS = 1000,
};

#define RCC_APB1ENR (*(volatile uint32_t *)0x40023840u)

typedef struct {
    timer_t *timer;
    uint32_t irq;
} alarm_row_t;

static const alarm_row_t s_alarms[] = {
    [PLATFORM_ALARM_BENCH] = {(timer_t *)0x40000C00u, TIM5_IRQ},
    [PLATFORM_ALARM_LOAD] = {(timer_t *)0x40000800u, TIM4_IRQ},
};

// Counter ticks per step of the timer: 2 for the cycle counter at full speed. TIM2 has their clock.
static uint32_t alarm_ratio(void)
{
    bool tim2 = (uintptr_t)g_board_counter < 0xE0000000u;
    return tim2 ? 1u : g_board_counter_hz / clock_apb1_timer_hz();
}

// The overflow comes with the step after the reload value. Counting begins before, with the update
// event that sets the count to 0: it is in the middle between two reads of the counter.
static uint32_t alarm_arm(timer_t *timer, uint32_t steps, uint32_t mode)
{
    timer->control = 0;
    timer->interrupt_enable = 0;
    timer->prescaler = 0;
    timer->reload = steps - 1u;
    timer->count = 0;
    timer->control = CONTROL_ENABLE | CONTROL_ONLY_OVERFLOW | mode;
    timer->interrupt_enable = UPDATE;
    const volatile uint32_t *counter = g_board_counter;
    __asm volatile("cpsid i" ::: "memory"); // an interrupt in the middle would shift it
    uint32_t before = *counter;
    timer->event = UPDATE;
    uint32_t after = *counter;
    __asm volatile("cpsie i" ::: "memory");
    return before + (after - before) / 2u;
}

static void alarm_clear(timer_t *timer)
{
    timer->status = ~(uint32_t)UPDATE;
    (void)timer->status; // the interrupt is gone before its handler returns
}

// Whether it comes when it is due: not before, and not a whole delay later. Its interrupt is
// disabled meanwhile.
static bool alarm_comes(timer_t *timer)
{
    uint32_t begin = alarm_arm(timer, TRIAL_TICKS / alarm_ratio(), CONTROL_ONE_PULSE);
    uint32_t waited = 0;
    while ((timer->status & UPDATE) == 0u && waited < 2u * TRIAL_TICKS) {
        waited = *g_board_counter - begin;
    }
    waited = *g_board_counter - begin;
    alarm_clear(timer);
    return waited >= TRIAL_TICKS && waited < TRIAL_TICKS + TRIAL_TICKS / 2u;
}

status_t platform_alarm_start(platform_alarm_t alarm, uint8_t priority)
{
    const alarm_row_t *row = &s_alarms[alarm];
    RCC_APB1ENR |= APB1_TIMERS;
    (void)RCC_APB1ENR; // the bus needs two cycles
    platform_alarm_stop(alarm);
    bool comes = alarm_comes(row->timer);
    platform_alarm_stop(alarm);
    if (!comes) {
        return STATUS_ABSENT;
    }
    platform_irq_enable_at(row->irq, priority);
    return STATUS_OK;
}

uint32_t platform_alarm_once(platform_alarm_t alarm, uint32_t ticks)
{
    uint32_t steps = ticks / alarm_ratio();
    uint32_t begin = alarm_arm(s_alarms[alarm].timer, steps, CONTROL_ONE_PULSE);
    return begin + steps * alarm_ratio();
}

void platform_alarm_repeat(platform_alarm_t alarm, uint32_t ticks)
{
    (void)alarm_arm(s_alarms[alarm].timer, ticks / alarm_ratio(), 0);
}

void platform_alarm_acknowledge(platform_alarm_t alarm)
{
    alarm_clear(s_alarms[alarm].timer);
}

void platform_alarm_stop(platform_alarm_t alarm)
{
    const alarm_row_t *row = &s_alarms[alarm];
    platform_irq_disable(row->irq);
    row->timer->control = 0;
    row->timer->interrupt_enable = 0;
    alarm_clear(row->timer);
}
