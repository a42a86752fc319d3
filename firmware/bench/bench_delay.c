// SPDX-License-Identifier: MIT
// What wakes by the tick: a delayed task and a software timer. A sample begins when the tick became
// due and ends where the task or the callback runs. That it was the right tick is proven twice: by
// the kernel's count, and by the counter, which knows no ticks.
#include "bench.h"
#include "bench_rows.h"
#include "kernel_compat.h"
#include "platform.h"

enum { LONGEST = 3, WAYS = 3 };

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
static TimerHandle_t s_once;
static TimerHandle_t s_reloading;

static void expiry_callback(TimerHandle_t timer)
{
    BENCH_END(bench_counter(), bench_probe());
    (void)timer;
    s_expiry.moment = platform_tick_moment();
    s_expiry.tick = xTaskGetTickCount();
    s_expiry.calls++;
    (void)xTaskNotifyGive(s_expiry.waiter);
}

// Waits for the callback, which must come `ticks` after the tick at `before`.
static const char *expiry_await(uint32_t before, TickType_t due, TickType_t ticks)
{
    uint32_t calls = s_expiry.calls;
    (void)ulTaskNotifyTake(pdTRUE, ticks + LONGEST);
    if (s_expiry.calls != calls + 1u || s_expiry.tick != due) {
        return s_no_wake;
    }
    return delay_was(before, s_expiry.moment, ticks) ? NULL : s_not_then;
}

// A timer that runs on by itself: its second expiry counts.
static const char *expiry_reload(uint32_t before, TickType_t due, TickType_t ticks)
{
    (void)xTimerChangePeriod(s_reloading, ticks, 0); // starts it, too
    const char *fault = expiry_await(before, due, ticks);
    fault = fault != NULL ? fault : expiry_await(s_expiry.moment, due + ticks, ticks);
    (void)xTimerStop(s_reloading, 0);
    return fault;
}

// Sample by sample another way of the three by which a timer comes to its expiry time.
static const char *expiry_take(uint32_t index)
{
    TickType_t ticks = delay_ticks(index / WAYS);
    TickType_t now = xTaskGetTickCount();
    uint32_t before = platform_tick_moment();
    if (index % WAYS == 0u) {
        (void)xTimerChangePeriod(s_once, ticks, 0);
        return expiry_await(before, now + ticks, ticks);
    }
    if (index % WAYS == 1u) {
        (void)xTimerStart(s_once, 0); // with the period that it has
        return expiry_await(before, now + ticks, ticks);
    }
    return expiry_reload(before, now + ticks, ticks);
}

const char *bench_run_expiry(uint32_t n, int32_t arg)
{
    (void)arg;
    static StaticTimer_t s_memory[2];
    s_once = xTimerCreateStatic("bench", 1, pdFALSE, NULL, expiry_callback, &s_memory[0]);
    s_reloading = xTimerCreateStatic("bench", 1, pdTRUE, NULL, expiry_callback, &s_memory[1]);
    s_expiry = (expiry_t){.waiter = xTaskGetCurrentTaskHandle()};
    bench_set_overhead(0, 0);
    const char *fault = NULL;
    for (uint32_t i = 0; i <= n && fault == NULL; i++) {
        fault = expiry_take(i);
        bench_keep_between(i, s_expiry.moment, bench_probe()->end);
    }
    (void)xTimerDelete(s_once, 0); // done at once, in the higher timer task
    (void)xTimerDelete(s_reloading, 0);
    return fault;
}
#endif
