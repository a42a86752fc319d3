// SPDX-License-Identifier: MIT
// The tick interrupt itself, with `arg` tasks that it makes ready: what it takes from the task it
// interrupts, and how evenly it comes.
#include "bench.h"
#include "bench_helpers.h"
#include "bench_rows.h"
#include "kernel_compat.h"
#include "platform.h"
#include "tasks.h"

enum { CREW_PRIORITY = 2, CREW_PERIOD = 3 };

static TickType_t s_crew_begin;

bool bench_takes_crew(int32_t arg)
{
    return arg == 0 || arg == 5 || arg == 20;
}

// Sleeps again and again, all of them until the same tick. Below the bench task, so that the tick
// makes them ready and switches to none of them.
static void crew_sleep(void *unused)
{
    (void)unused;
    TickType_t wake = s_crew_begin;
    for (;;) {
        kernel_delay_until(&wake, CREW_PERIOD);
    }
}

static void crew_start(int32_t arg)
{
    for (int32_t i = 0; i < arg; i++) {
        (void)bench_helper_start(crew_sleep, CREW_PRIORITY);
    }
    s_crew_begin = xTaskGetTickCount(); // they run when the bench task waits
}

// ---- cost --------------------------------------------------------------------------------------

typedef struct {
    uint32_t shortest;
    uint32_t longest;
} gaps_t;

// Reads the counter back to back until a tick came, and once more. The longest gap between two
// reads is the one with the tick in it, wherever in the loop it came; the shortest is the loop's
// own.
static gaps_t tick_spin(void)
{
    const volatile uint32_t *counter = bench_counter();
    gaps_t gaps = {UINT32_MAX, 0};
    uint32_t seen = g_tick_interrupts;
    uint32_t last = *counter;
    uint32_t rounds_left = 2;
    while (rounds_left > 0u) {
        uint32_t now = *counter;
        uint32_t gap = now - last;
        last = now;
        gaps.shortest = gap < gaps.shortest ? gap : gaps.shortest;
        gaps.longest = gap > gaps.longest ? gap : gaps.longest;
        rounds_left -= g_tick_interrupts != seen ? 1u : 0u;
    }
    return gaps;
}

// The bench task sleeps until the tick before the crew's, so that the crew has had its turn, and
// spins over the crew's. Nothing else interrupts it. The crew's first period is left to it: making
// twenty tasks and sending each to sleep takes about two ticks of a slow core.
static const char *tick_measure(uint32_t n, uint32_t crew)
{
    TickType_t wake = s_crew_begin - 1u;
    uint32_t overhead = UINT32_MAX;
    kernel_delay_until(&wake, CREW_PERIOD);
    for (uint32_t i = 0; i <= n; i++) {
        kernel_delay_until(&wake, CREW_PERIOD);
        if (!bench_helpers_are(crew, false)) {
            return "a delayed task was ready before its tick";
        }
        gaps_t gaps = tick_spin();
        if (!bench_helpers_are(crew, true) || xTaskGetTickCount() != wake + 1u) {
            return "the tick did not make ready the tasks that were due";
        }
        overhead = gaps.shortest < overhead ? gaps.shortest : overhead;
        bench_keep_between(i, 0, gaps.longest);
    }
    bench_set_overhead(overhead, n + 1u);
    return NULL;
}

const char *bench_run_tick_cost(uint32_t n, int32_t arg)
{
    if (bench_is_loaded()) {
        return g_bench_only_idle;
    }
    crew_start(arg);
    return tick_measure(n, (uint32_t)arg);
}

// ---- jitter ------------------------------------------------------------------------------------

typedef struct {
    TaskHandle_t waiter;
    uint32_t period;
    uint32_t wanted;         // intervals; 0: none is being taken
    volatile uint32_t ticks; // hooks so far
    uint32_t first;
    uint32_t last;
    uint32_t faults; // intervals off by half a period or more
} jitter_t;

static jitter_t s_jitter;

// The counter at the tick hook, from the tick interrupt. A sample is how far an interval is from
// the period, either way.
void bench_on_tick(void)
{
    jitter_t *jitter = &s_jitter;
    if (jitter->wanted == 0u) {
        return;
    }
    uint32_t now = *bench_counter();
    uint32_t interval = now - jitter->last;
    uint32_t off =
        interval > jitter->period ? interval - jitter->period : jitter->period - interval;
    if (jitter->ticks == 0u) {
        jitter->first = now;
    } else {
        bench_keep_between(jitter->ticks - 1u, 0, off);
        jitter->faults += off >= jitter->period / 2u ? 1u : 0u;
    }
    jitter->last = now;
    jitter->ticks++;
    if (jitter->ticks > jitter->wanted) {
        jitter->wanted = 0;
        vTaskNotifyGiveFromISR(jitter->waiter, NULL); // it runs by the end of this tick's interrupt
    }
}

// The counter knows nothing of ticks: as many must have come as its time has room for. Intervals
// are summed as they are, so that a loss early and a tick too many later do not make up.
static const char *jitter_judge(TickType_t counted, uint32_t intervals)
{
    const jitter_t *jitter = &s_jitter;
    uint32_t elapsed = jitter->last - jitter->first;
    uint32_t off = elapsed - intervals * jitter->period + jitter->period / 2u;
    if (jitter->faults > 0u || off >= jitter->period) {
        return "a tick was lost, doubled or late by half a period, by the counter";
    }
    return counted == jitter->ticks ? NULL : "the kernel did not count every tick once";
}

const char *bench_run_tick_jitter(uint32_t n, int32_t arg)
{
    bench_set_overhead(0, 0);
    crew_start(arg);
    TickType_t before = xTaskGetTickCount();
    s_jitter = (jitter_t){.waiter = xTaskGetCurrentTaskHandle(),
                          .period = PLATFORM_COUNTER_HZ / configTICK_RATE_HZ,
                          .wanted = n + 1u};
    (void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
    return jitter_judge(xTaskGetTickCount() - before, n + 1u);
}
