// SPDX-License-Identifier: MIT
// What wakes by the tick: a delayed task and a software timer. A sample begins when the tick became
// due and ends where the task or the callback runs. That it was the right tick is proven twice: by
// the kernel's count, and by the counter, which knows no ticks.
#include "bench.h"
#include "bench_rows.h"
#include "kernel_compat.h"
#include "platform.h"

enum { LONGEST = 3 };

static const char s_no_wake[] = "it did not wake at the tick it should, by the kernel's own count";
static const char s_not_then[] = "it did not wake at the tick it should, by the counter";

// A delay that differs from sample to sample.
static TickType_t delay_ticks(uint32_t index)
{
    return 1u + index % LONGEST;
}

// Whether `moment` is `ticks` tick periods behind `before`, to a quarter of a tick.
static bool delay_was(uint32_t before, uint32_t moment, TickType_t ticks)
{
    uint32_t period = PLATFORM_COUNTER_HZ / configTICK_RATE_HZ;
    uint32_t beyond = moment - before - ticks * period + period / 4u;
    return beyond < period / 2u;
}

const char *bench_run_delay(uint32_t n, int32_t arg)
{
    (void)arg;
    const volatile uint32_t *counter = bench_counter();
    volatile bench_probe_t *probe = bench_probe();
    TickType_t wake = xTaskGetTickCount();
    uint32_t before = platform_tick_moment();
    bench_set_overhead(0, 0);
    for (uint32_t i = 0; i <= n; i++) {
        kernel_delay_until(&wake, delay_ticks(i));
        BENCH_END(counter, probe);
        uint32_t moment = platform_tick_moment();
        if (xTaskGetTickCount() != wake) {
            return s_no_wake;
        }
        if (!delay_was(before, moment, delay_ticks(i))) {
            return s_not_then;
        }
        bench_keep_between(i, moment, probe->end);
        before = moment;
    }
    return NULL;
}

// ---- software timer ----------------------------------------------------------------------------

#if KERNEL_HAS_TIMERS
typedef struct {
    TaskHandle_t waiter;
    volatile uint32_t moment; // when the tick of the callback became due
    volatile TickType_t tick;
    volatile uint32_t calls;
} expiry_t;

static expiry_t s_expiry;

static void expiry_callback(TimerHandle_t timer)
{
    BENCH_END(bench_counter(), bench_probe());
    (void)timer;
    s_expiry.moment = platform_tick_moment();
    s_expiry.tick = xTaskGetTickCount();
    s_expiry.calls++;
    (void)xTaskNotifyGive(s_expiry.waiter);
}

static const char *expiry_measure(TimerHandle_t timer, uint32_t n)
{
    for (uint32_t i = 0; i <= n; i++) {
        TickType_t ticks = delay_ticks(i);
        TickType_t due = xTaskGetTickCount() + ticks;
        uint32_t before = platform_tick_moment();
        (void)xTimerChangePeriod(timer, ticks, 0); // starts it, too
        (void)ulTaskNotifyTake(pdTRUE, ticks + LONGEST);
        if (s_expiry.calls != i + 1u || s_expiry.tick != due) {
            return s_no_wake;
        }
        if (!delay_was(before, s_expiry.moment, ticks)) {
            return s_not_then;
        }
        bench_keep_between(i, s_expiry.moment, bench_probe()->end);
    }
    return NULL;
}

const char *bench_run_expiry(uint32_t n, int32_t arg)
{
    (void)arg;
    static StaticTimer_t s_memory;
    TimerHandle_t timer = xTimerCreateStatic("bench", 1, pdFALSE, NULL, expiry_callback, &s_memory);
    s_expiry = (expiry_t){.waiter = xTaskGetCurrentTaskHandle()};
    bench_set_overhead(0, 0);
    const char *fault = expiry_measure(timer, n);
    (void)xTimerDelete(timer, 0); // done at once, in the higher timer task
    return fault;
}
#endif
