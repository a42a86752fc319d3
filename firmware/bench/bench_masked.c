// SPDX-License-Identifier: MIT
// How long the kernel holds interrupts back. An alarm is due at a moment known on the counter; its
// handler takes the counter at its entry, and whether the code it interrupted was in a critical
// section (BASEPRI set). An interrupt waits for the end of the instruction it falls into as well.
#include "bench.h"
#include "bench_calls.h"
#include "bench_rows.h"
#include "kernel_compat.h"
#include "platform.h"

enum {
    PRIORITY_ABOVE = 0x20, // no kernel call masks it
    BASE_ALARMS = 64,
    LEAD = 1024,   // ticks before an alarm is due, at least
    SPREAD = 4096, // and this many more, by chance
    PROVING = 256, // alarms of which some must have come in a critical section
    SLACK_CYCLES = 64,
};

_Static_assert(PRIORITY_ABOVE < configMAX_SYSCALL_INTERRUPT_PRIORITY,
               "above what the kernel masks");

typedef enum { STAGE_BEFORE, STAGE_IN, STAGE_BEHIND, STAGES } stage_t;

typedef struct {
    volatile uint32_t entry;  // counter at the handler's entry
    volatile uint32_t count;  // alarms that came
    volatile uint32_t masked; // of these, in a critical section
    volatile uint32_t at[STAGES];
    volatile stage_t stage; // of the measured call
} alarms_t;

static alarms_t s_alarms;

static const char s_lost[] = "the alarm's interrupt did not come, or not once";

static void alarm_isr(uint32_t entry)
{
    uint32_t basepri;
    __asm volatile("mrs %0, basepri" : "=r"(basepri));
    s_alarms.entry = entry;
    s_alarms.masked += basepri != 0u ? 1u : 0u;
    s_alarms.at[s_alarms.stage]++;
    s_alarms.count++;
}

static const char *alarm_start(uint8_t priority)
{
    s_alarms = (alarms_t){.entry = 0};
    return bench_start_alarm(priority, alarm_isr);
}

static bool alarm_overdue(uint32_t due)
{
    uint32_t late = *bench_counter() - due;
    return late > PLATFORM_COUNTER_HZ / configTICK_RATE_HZ && late < UINT32_MAX / 2u;
}

// ---- latency of the alarm, nothing masked -------------------------------------------------------

typedef struct {
    uint32_t smallest;
    uint32_t largest;
} latency_t;

// Alarms that find the core spinning, at changing phases of the loop.
static const char *alarm_measure_base(latency_t *base)
{
    *base = (latency_t){UINT32_MAX, 0};
    for (uint32_t i = 0; i < BASE_ALARMS; i++) {
        uint32_t seen = s_alarms.count;
        uint32_t due = platform_alarm_once(PLATFORM_ALARM_BENCH, LEAD + i);
        while (s_alarms.count == seen && !alarm_overdue(due)) {
        }
        if (s_alarms.count != seen + 1u) {
            return s_lost;
        }
        uint32_t latency = s_alarms.entry - due;
        base->smallest = latency < base->smallest ? latency : base->smallest;
        base->largest = latency > base->largest ? latency : base->largest;
    }
    return NULL;
}

static const char s_wrong_call[] = "a kernel call did not do what it says";

// ---- latency while kernel calls run -------------------------------------------------------------

static uint32_t s_chance;

static uint32_t alarm_delay(void)
{
    s_chance = s_chance * 1664525u + 1013904223u;
    return LEAD + (s_chance >> 16) % SPREAD;
}

// Calls until an alarm has come beside the `seen` ones, which may be so at once; `call` goes on
// through the calls from sample to sample.
static const char *masked_hammer(uint32_t seen, uint32_t due, uint32_t *call)
{
    while (s_alarms.count == seen) {
        const bench_call_t *row = bench_call((*call)++);
        if (row != NULL) {
            row->call();
            if (!row->undo()) {
                return s_wrong_call;
            }
        }
        if (alarm_overdue(due)) {
            return s_lost;
        }
    }
    return NULL;
}

static const char *masked_measure(uint32_t n, uint32_t *largest)
{
    uint32_t call = 0;
    *largest = 0;
    for (uint32_t i = 0; i <= n; i++) {
        uint32_t seen = s_alarms.count;
        uint32_t due = platform_alarm_once(PLATFORM_ALARM_BENCH, alarm_delay());
        const char *fault = masked_hammer(seen, due, &call);
        if (fault != NULL || s_alarms.count != seen + 1u) {
            return fault != NULL ? fault : s_lost;
        }
        uint32_t latency = s_alarms.entry - due;
        *largest = latency > *largest ? latency : *largest;
        bench_keep_between(i, due, s_alarms.entry);
    }
    return NULL;
}

typedef struct {
    latency_t base;
    uint32_t largest;
} masked_t;

static const char *masked_run(uint32_t n, uint8_t priority, masked_t *found)
{
    const char *fault = alarm_start(priority);
    fault = fault != NULL ? fault : alarm_measure_base(&found->base);
    if (fault != NULL) {
        return fault;
    }
    s_chance = 1;
    s_alarms.masked = 0;
    bench_set_overhead(0, 0);
    bench_calls_prepare();
    fault = masked_measure(n, &found->largest);
    bench_calls_end();
    return fault;
}

// Never held back: it comes in the middle of critical sections, and as soon there as elsewhere.
const char *bench_run_masked_above(uint32_t n, int32_t arg)
{
    (void)arg;
    masked_t found;
    const char *fault = masked_run(n, PRIORITY_ABOVE, &found);
    if (fault != NULL) {
        return fault;
    }
    if (n >= PROVING && s_alarms.masked == 0u) {
        return "no interrupt came in a critical section: they were held back";
    }
    uint32_t slack = (uint32_t)((uint64_t)SLACK_CYCLES * PLATFORM_COUNTER_HZ / PLATFORM_CORE_HZ);
    return found.largest > found.base.largest + slack
               ? "an interrupt that nothing masks had to wait"
               : NULL;
}

const char *bench_run_masked_below(uint32_t n, int32_t arg)
{
    (void)arg;
    masked_t found;
    const char *fault = masked_run(n, PLATFORM_IRQ_PRIORITY, &found);
    if (fault != NULL) {
        return fault;
    }
    return s_alarms.masked > 0u ? "an interrupt came in a critical section" : NULL;
}

// ---- longest masked window of one call ----------------------------------------------------------

typedef struct {
    uint32_t due;
    uint32_t begin; // counter just before and just behind the call
    uint32_t end;
} window_t;

// The NOPs leave room for alarms that are due before the call; a loop would blur its phase.
static void window_take(const bench_call_t *row, uint32_t delay, window_t *window)
{
    const volatile uint32_t *counter = bench_counter();
    s_alarms.stage = STAGE_BEFORE;
    window->due = platform_alarm_once(PLATFORM_ALARM_BENCH, delay);
    __asm volatile(".rept 64\n\tnop\n\t.endr");
    window->begin = *counter;
    s_alarms.stage = STAGE_IN;
    row->call();
    s_alarms.stage = STAGE_BEHIND;
    window->end = *counter;
}

static const char *window_settle(const bench_call_t *row, uint32_t seen, uint32_t due)
{
    while (s_alarms.count == seen && !alarm_overdue(due)) {
    }
    if (s_alarms.count != seen + 1u) {
        return s_lost;
    }
    return row->undo() ? NULL : s_wrong_call;
}

// Taken again where a tick came meanwhile, because its handler masks, too.
static const char *window_measure_one(const bench_call_t *row, uint32_t delay, window_t *window)
{
    const char *fault;
    uint32_t ticks;
    do {
        uint32_t seen = s_alarms.count;
        ticks = g_tick_interrupts;
        window_take(row, delay, window);
        fault = window_settle(row, seen, window->due);
    } while (fault == NULL && g_tick_interrupts != ticks);
    return fault;
}

typedef struct {
    uint32_t first;  // delay of the first alarm of a sweep
    uint32_t length; // of the sweep, in counter ticks
} sweep_t;

// From well before the call to well behind it, as it runs when no alarm and no tick comes.
static const char *sweep_plan(const bench_call_t *row, sweep_t *sweep)
{
    enum { MARGIN = 64, FAR = 4 * SPREAD };
    window_t window;
    for (uint32_t i = 0; i < 2u; i++) { // the first is cold
        const char *fault = window_measure_one(row, FAR, &window);
        if (fault != NULL) {
            return fault;
        }
    }
    uint32_t begin = window.begin - (window.due - FAR); // since the alarm was set
    sweep->first = begin > 2u * MARGIN ? begin - MARGIN : MARGIN;
    sweep->length = window.end - window.begin + begin + MARGIN - sweep->first;
    return NULL;
}

// Every phase by the counter's ticks where n has room for that, else n phases evenly.
static uint32_t sweep_delay(const sweep_t *sweep, uint32_t index, uint32_t n)
{
    if (sweep->length <= n) {
        return sweep->first + index % sweep->length;
    }
    return sweep->first + (uint32_t)((uint64_t)index * sweep->length / n);
}

static const char *window_measure(const bench_call_t *row, const sweep_t *sweep, uint32_t n)
{
    window_t window;
    for (uint32_t i = 0; i <= n; i++) {
        const char *fault = window_measure_one(row, sweep_delay(sweep, i, n), &window);
        if (fault != NULL) {
            return fault;
        }
        bench_keep_between(i, window.due, s_alarms.entry);
    }
    return NULL;
}

static const char *window_judge(uint32_t n)
{
    if (s_alarms.masked > 0u) {
        return "an interrupt came in a critical section";
    }
    bool swept = s_alarms.at[STAGE_BEFORE] > 0u && s_alarms.at[STAGE_IN] > 0u &&
                 s_alarms.at[STAGE_BEHIND] > 0u;
    return swept || n < PROVING ? NULL : "the alarms did not go over the whole call";
}

static const char *window_run(const bench_call_t *row, uint32_t n)
{
    sweep_t sweep;
    const char *fault = sweep_plan(row, &sweep);
    if (fault != NULL) {
        return fault;
    }
    s_alarms = (alarms_t){.entry = 0};
    fault = window_measure(row, &sweep, n);
    return fault != NULL ? fault : window_judge(n);
}

// What is subtracted is the alarm's smallest latency with nothing masked: the rest is the wait.
const char *bench_run_longest(uint32_t n, int32_t arg)
{
    latency_t base;
    if (bench_is_loaded()) {
        return g_bench_only_idle;
    }
    const char *fault = alarm_start(PLATFORM_IRQ_PRIORITY);
    fault = fault != NULL ? fault : alarm_measure_base(&base);
    if (fault != NULL) {
        return fault;
    }
    bench_set_overhead(base.smallest, BASE_ALARMS);
    bench_calls_prepare();
    fault = window_run(bench_call((uint32_t)arg - 1u), n);
    bench_calls_end();
    return fault;
}
