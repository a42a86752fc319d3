// SPDX-License-Identifier: MIT
// What runs beside a benchmark in the loaded profile; bench.h says what it is and why.
#include "bench.h"
#include "kernel_compat.h"
#include "platform.h"

enum {
    PERIOD_US = 331, // prime: it falls on every phase of the tick
    ISR_ROUNDS = 32,
    TASK_ROUNDS = 16,
    LOWEST = 0,
    SLEEPERS = 3,
    TASKS = 1 + SLEEPERS,
    TIMER_TICKS = 7,
    LOAD_WORDS = 128,
    LOW_PRIORITY = 1,
};

static const TickType_t s_periods[TASKS] = {[1] = 2, [2] = 3, [3] = 5};

static StackType_t s_stacks[TASKS][LOAD_WORDS];
static StaticTask_t s_blocks[TASKS];
static TaskHandle_t s_tasks[TASKS];
static volatile uint32_t s_work;

bench_load_t bench_load(void)
{
    bool alarm = platform_alarm_start(PLATFORM_ALARM_LOAD, PLATFORM_IRQ_PRIORITY) == STATUS_OK;
    platform_alarm_stop(PLATFORM_ALARM_LOAD);
    return (bench_load_t){alarm ? PERIOD_US : 0u, ISR_ROUNDS, TASKS, KERNEL_HAS_TIMERS};
}

static void load_work(uint32_t rounds)
{
    for (uint32_t i = 0; i < rounds; i++) {
        s_work = s_work * 1664525u + 1013904223u;
    }
}

void bench_load_handler(void)
{
    BaseType_t woken = pdFALSE;
    platform_alarm_acknowledge(PLATFORM_ALARM_LOAD);
    load_work(ISR_ROUNDS);
    vTaskNotifyGiveFromISR(s_tasks[LOWEST], &woken);
    portYIELD_FROM_ISR(woken);
}

static void load_lowest(void *unused)
{
    (void)unused;
    for (;;) {
        (void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        load_work(TASK_ROUNDS);
    }
}

static void load_sleeper(void *period)
{
    TickType_t wake = xTaskGetTickCount();
    for (;;) {
        kernel_delay_until(&wake, *(const TickType_t *)period);
        load_work(TASK_ROUNDS);
    }
}

#if KERNEL_HAS_TIMERS
static TimerHandle_t s_timer;

static void load_on_timer(TimerHandle_t timer)
{
    (void)timer;
    load_work(TASK_ROUNDS);
}

static void load_start_timer(void)
{
    static StaticTimer_t s_memory;
    s_timer = xTimerCreateStatic("bench.load", TIMER_TICKS, pdTRUE, NULL, load_on_timer, &s_memory);
    (void)xTimerStart(s_timer, 0);
}

static void load_stop_timer(void)
{
    (void)xTimerDelete(s_timer, 0); // done at once, in the higher timer task
}
#else
static void load_start_timer(void)
{
}

static void load_stop_timer(void)
{
}
#endif

void bench_start_load(void)
{
    for (uint32_t i = 0; i < TASKS; i++) {
        bool lowest = i == LOWEST;
        s_tasks[i] = xTaskCreateStatic(
            lowest ? load_lowest : load_sleeper, "bench.load", LOAD_WORDS, (void *)&s_periods[i],
            lowest ? LOW_PRIORITY : configMAX_PRIORITIES - 1, s_stacks[i], &s_blocks[i]);
    }
    load_start_timer();
    if (platform_alarm_start(PLATFORM_ALARM_LOAD, PLATFORM_IRQ_PRIORITY) == STATUS_OK) {
        platform_alarm_repeat(PLATFORM_ALARM_LOAD, PLATFORM_COUNTER_HZ / 1000000u * PERIOD_US);
    }
}

void bench_stop_load(void)
{
    platform_alarm_stop(PLATFORM_ALARM_LOAD);
    load_stop_timer();
    for (uint32_t i = 0; i < TASKS; i++) {
        vTaskDelete(s_tasks[i]);
    }
}
