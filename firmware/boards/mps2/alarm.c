// SPDX-License-Identifier: MIT
// Alarms of the mps2 boards: the CMSDK APB timers 0 and 1 (Arm DDI 0479, 4.1), which count down at
// the counter's clock.
#include "platform.h"

typedef struct {
    volatile uint32_t control;
    volatile uint32_t value;
    volatile uint32_t reload;
    volatile uint32_t interrupt; // read: pending; write 1: clear
} timer_t;

enum { CONTROL_ENABLE = 1u << 0, CONTROL_INTERRUPT = 1u << 3, INTERRUPT_PENDING = 1 };

static timer_t *const s_timers[] = {(timer_t *)BOARD_TIMER0_AT, (timer_t *)BOARD_TIMER1_AT};

static uint32_t alarm_irq(platform_alarm_t alarm)
{
    return BOARD_TIMER0_IRQ + (uint32_t)alarm;
}

status_t platform_alarm_start(platform_alarm_t alarm, uint8_t priority)
{
    platform_alarm_stop(alarm);
    platform_irq_enable_at(alarm_irq(alarm), priority);
    return STATUS_OK;
}

// Value before reload: with both 0 the timer would have nothing to count. It is the enabling store
// that starts it, in the middle between two reads of the counter.
uint32_t platform_alarm_once(platform_alarm_t alarm, uint32_t ticks)
{
    const volatile uint32_t *counter = (const volatile uint32_t *)PLATFORM_COUNTER_AT;
    timer_t *timer = s_timers[alarm];
    timer->control = 0;
    timer->reload = 0;
    timer->value = ticks;
    __asm volatile("cpsid i" ::: "memory"); // an interrupt in the middle would shift it
    uint32_t before = *counter;
    timer->control = CONTROL_ENABLE | CONTROL_INTERRUPT;
    uint32_t after = *counter;
    __asm volatile("cpsie i" ::: "memory");
    return before + (after - before) / 2u + ticks;
}

void platform_alarm_repeat(platform_alarm_t alarm, uint32_t ticks)
{
    timer_t *timer = s_timers[alarm];
    timer->control = 0;
    timer->reload = ticks - 1u;
    timer->value = ticks - 1u;
    timer->control = CONTROL_ENABLE | CONTROL_INTERRUPT;
}

void platform_alarm_acknowledge(platform_alarm_t alarm)
{
    s_timers[alarm]->interrupt = INTERRUPT_PENDING;
}

void platform_alarm_stop(platform_alarm_t alarm)
{
    s_timers[alarm]->control = 0;
    platform_irq_disable(alarm_irq(alarm));
    s_timers[alarm]->interrupt = INTERRUPT_PENDING;
}
