// SPDX-License-Identifier: MIT
// Event groups: bits set with nobody waiting, with one and with four that wait, and a rendezvous of
// three tasks.
#include "bench.h"
#include "bench_helpers.h"
#include "bench_rows.h"

#if KERNEL_HAS_EVENT_GROUPS

enum { BIT_SET = 1, BIT_OTHER = 2, BIT_BENCH = 1, BIT_FIRST = 2, BIT_SECOND = 4, BITS_ALL = 7 };

static EventGroupHandle_t s_group;

static void event_create(void)
{
    static StaticEventGroup_t s_memory;
    s_group = xEventGroupCreateStatic(&s_memory);
}

// ---- set ---------------------------------------------------------------------------------------

const char *bench_run_event_set(uint32_t n, int32_t arg)
{
    (void)arg;
    event_create();
    EventGroupHandle_t group = s_group;
    (void)xEventGroupSetBits(group, BIT_OTHER);
    BENCH_LOOP(n, (void)0, (void)xEventGroupSetBits(group, BIT_SET),
               xEventGroupClearBits(group, BIT_SET) == (BIT_SET | BIT_OTHER) &&
                   xEventGroupGetBits(group) == BIT_OTHER,
               "the bit was not set, or another one was changed");
    return NULL;
}

bool bench_takes_waiters(int32_t arg)
{
    return arg == 1 || arg == 4;
}

static volatile uint32_t s_woken[BENCH_HELPERS]; // how often each waiter woke with its bit

static volatile uint32_t s_ends[BENCH_HELPERS]; // counter when it ran

static void event_waiter(void *index)
{
    const volatile uint32_t *counter = bench_counter();
    volatile bench_probe_t *probe = bench_probe();
    volatile uint32_t *woken = &s_woken[(uintptr_t)index];
    volatile uint32_t *end = &s_ends[(uintptr_t)index];
    EventGroupHandle_t group = s_group;
    for (;;) {
        EventBits_t bits = xEventGroupWaitBits(group, BIT_SET, pdTRUE, pdTRUE, portMAX_DELAY);
        BENCH_END_INTO(counter, probe, *end);
        *woken += bits == BIT_SET ? 1u : 0u;
    }
}

// When the last of the waiters ran that began to run after `begin`.
static uint32_t event_latest(int32_t waiters, uint32_t begin)
{
    uint32_t longest = 0;
    for (int32_t i = 0; i < waiters; i++) {
        uint32_t passed = s_ends[i] - begin;
        longest = passed > longest ? passed : longest;
    }
    return begin + longest;
}

// A round without a sample when a tick came since the last: it may have cut waiters off from one
// another, so that they wait in another order, and the kernel may owe a switch. Returns the rounds.
static uint32_t event_settle(uint32_t *ticks)
{
    uint32_t rounds = 0;
    while (*ticks != g_tick_interrupts) {
        *ticks = g_tick_interrupts;
        (void)xEventGroupSetBits(s_group, BIT_SET);
        rounds++;
    }
    return rounds;
}

// Puts the latest end into the probe. A tick since the round without one is one that hit the
// sample, also where it came before the begin or cut a waiter off from telling of it.
static void event_close(volatile bench_probe_t *probe, int32_t waiters, uint32_t settled)
{
    probe->end = event_latest(waiters, probe->begin);
    probe->ticks_before = settled;
    probe->ticks_after = g_tick_interrupts;
}

static bool event_each_woke(int32_t waiters, uint32_t times)
{
    bool good = xEventGroupGetBits(s_group) == 0u;
    for (int32_t i = 0; i < waiters; i++) {
        good = good && s_woken[i] == times;
    }
    return good;
}

static void event_start_waiters(int32_t waiters)
{
    event_create();
    for (int32_t i = 0; i < waiters; i++) {
        s_woken[i] = 0;
        (void)bench_helper_start(event_waiter, BENCH_HELPER_ABOVE);
    }
}

// All waiters end the sample, one after another, and wait again: what counts is the last.
const char *bench_run_event_switch(uint32_t n, int32_t arg)
{
    event_start_waiters(arg);
    EventGroupHandle_t group = s_group;
    uint32_t ticks = g_tick_interrupts;
    uint32_t rounds = 0;
    BENCH_WAKE(n, rounds += 1u + event_settle(&ticks), (void)xEventGroupSetBits(group, BIT_SET);
               event_close(probe, arg, ticks), event_each_woke(arg, rounds),
               "not each waiter ran once before the call returned, or the bit stayed");
    return NULL;
}

// ---- rendezvous --------------------------------------------------------------------------------

static volatile uint32_t s_first;  // rounds in which the first task came first, with all bits
static volatile uint32_t s_second; // rounds of the second

// The highest of the three, so that it runs first: it ends the sample.
static void event_first(void *unused)
{
    (void)unused;
    EventBits_t bits = 0;
    EventGroupHandle_t group = s_group;
    BENCH_WOKEN(BENCH_FOR_EVER, bits = xEventGroupSync(group, BIT_FIRST, BITS_ALL, portMAX_DELAY),
                bits == BITS_ALL && s_second == i, s_first);
}

static void event_second(void *unused)
{
    (void)unused;
    for (;;) {
        EventBits_t bits = xEventGroupSync(s_group, BIT_SECOND, BITS_ALL, portMAX_DELAY);
        s_second += bits == BITS_ALL ? 1u : 0u;
    }
}

// When the last task's call returns both others were through and are back for the next round.
const char *bench_run_event_sync(uint32_t n, int32_t arg)
{
    (void)arg;
    EventBits_t bits = 0;
    event_create();
    s_first = 0;
    s_second = 0;
    (void)bench_helper_start(event_first, BENCH_HELPER_HIGHEST);
    (void)bench_helper_start(event_second, BENCH_HELPER_ABOVE);
    EventGroupHandle_t group = s_group;
    BENCH_WAKE(n, (void)0, bits = xEventGroupSync(group, BIT_BENCH, BITS_ALL, 0),
               bits == BITS_ALL && s_first == i + 1u && s_second == i + 1u &&
                   xEventGroupGetBits(group) == (BIT_FIRST | BIT_SECOND),
               "not all three tasks met, once, the highest first");
    return NULL;
}

#endif
