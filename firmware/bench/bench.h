// SPDX-License-Identifier: MIT
// Kernel micro-benchmarks: how one kernel primitive is timed, sample by sample.
//
// A benchmark runs in the bench task, above every other task but its peer and its helpers, with
// reception held and the writer taken, beginning right after a tick: when its command arrived
// cannot move a sample. A sample is the counter's difference over the measured section, overhead
// included; the cost of the probe alone is measured by the same code around nothing and reported
// apart. The first (cold) run of the primitive is reported apart too. Nothing is printed between
// first and last sample, and what proves that the primitive did what it says stands outside the
// section.
//
// To add one: write run (and peer, if another task must take part; bench_helpers.h for more of
// them) and a row in bench_table.c.
#ifndef BENCH_H
#define BENCH_H

#include "board_config.h"
#include "series.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_MAX_SAMPLES = 4096 };

// One benchmark. `arg` is its argument as given, 0 if none. Functions return 0, or a text that says
// what the primitive did wrong.
typedef struct {
    const char *id;
    const char *variant;
    const char *help;
    bool (*takes)(int32_t arg);                  // 0: the only argument is 0
    const char *(*run)(uint32_t n, int32_t arg); // in the bench task; n samples after the cold one
    void (*peer)(uint32_t n);                    // in the peer task, started before run; 0: none
} bench_row_t;

// Row `index` of the table, or 0 behind the last one; row of an id, or 0.
const bench_row_t *bench_row(size_t index);
const bench_row_t *bench_find(const char *id);

typedef struct {
    const bench_row_t *row; // 0: nothing was measured yet
    const char *fault;      // 0: the primitive did what it says
    uint32_t n;
    int32_t arg;
    uint32_t cold;       // first sample, with its tick bit
    uint32_t tick_hits;  // of n
    uint32_t overhead;   // smallest probe cost, in ticks
    uint32_t overhead_n; // probes that is the smallest of
} bench_result_t;

// Runs a benchmark and waits for its end. From the console task only.
const bench_result_t *bench_run(const bench_row_t *row, uint32_t n, int32_t arg);

// The last run's result, and its samples: result.n of them.
const bench_result_t *bench_last(void);
const uint32_t *bench_samples(void);

// Interrupt PLATFORM_BENCH_IRQ; in the vector table. Does what the running benchmark set.
void bench_irq_handler(void);

// What the running benchmark wants of the idle hook; 0: nothing, so that the core may sleep.
typedef void (*bench_idle_t)(void);
extern bench_idle_t volatile g_bench_idle;

// ---- for the benchmarks themselves --------------------------------------------------------------

// Counter at begin and end of the sample being taken, and tick interrupts just before and just
// after it. Written by the task that begins a sample and by the one that ends it.
typedef struct {
    uint32_t begin;
    uint32_t end;
    uint32_t ticks_before;
    uint32_t ticks_after;
} bench_probe_t;

extern volatile bench_probe_t g_bench_probe;
extern volatile uint32_t g_tick_interrupts;

// The address of the counter in a register, hidden from the optimiser: reading the counter is one
// load at both ends of every sample, whatever the compiler knows about the code between.
static inline const volatile uint32_t *bench_counter(void)
{
    const volatile uint32_t *counter = (const volatile uint32_t *)PLATFORM_COUNTER_AT;
    __asm volatile("" : "+r"(counter));
    return counter;
}

// The probe's memory, its address likewise in a register.
static inline volatile bench_probe_t *bench_probe(void)
{
    volatile bench_probe_t *probe = &g_bench_probe;
    __asm volatile("" : "+r"(probe));
    return probe;
}

// Begin and end of a sample: load the counter, store it. BENCH_BEGIN stands last before the
// measured primitive, BENCH_END first behind it, in whichever task that is; both want `counter` and
// `probe` from above in registers.
#define BENCH_BEGIN(counter, probe)                                                                \
    do {                                                                                           \
        (probe)->ticks_before = g_tick_interrupts;                                                 \
        (probe)->begin = *(counter);                                                               \
        __asm volatile("" ::: "memory");                                                           \
    } while (0)

#define BENCH_END(counter, probe)                                                                  \
    do {                                                                                           \
        __asm volatile("" ::: "memory");                                                           \
        (probe)->end = *(counter);                                                                 \
        (probe)->ticks_after = g_tick_interrupts;                                                  \
    } while (0)

// A whole benchmark: for n + 1 samples runs `section`, in which each begins or ends or does both,
// and returns `fault` from the function unless `good` holds. `i` is the sample's number.
#define BENCH_SAMPLES(n, section, good, fault)                                                     \
    do {                                                                                           \
        const volatile uint32_t *counter = bench_counter();                                        \
        volatile bench_probe_t *probe = bench_probe();                                             \
        for (uint32_t i = 0; i <= (n); i++) {                                                      \
            section;                                                                               \
            if (!(good)) {                                                                         \
                return (fault);                                                                    \
            }                                                                                      \
            bench_keep(i);                                                                         \
        }                                                                                          \
    } while (0)

// One whose primitive begins and ends in the bench task.
#define BENCH_LOOP(n, before, primitive, good, fault)                                              \
    BENCH_SAMPLES(n, before; BENCH_BEGIN(counter, probe); primitive;                               \
                  BENCH_END(counter, probe), good, fault)

// One that begins in the bench task, and ends in a higher task that `wake` lets run.
#define BENCH_WAKE(n, before, wake, good, fault)                                                   \
    BENCH_SAMPLES(n, before; BENCH_BEGIN(counter, probe); wake, good, fault)

// One that a higher task begins, which `leave` lets run until it waits, and that ends here.
#define BENCH_GO_ON(n, leave, good, fault)                                                         \
    BENCH_SAMPLES(n, leave; BENCH_END(counter, probe), good, fault)

// The higher task's side of BENCH_WAKE: n + 1 times waits by `wait`, ends the sample, and counts in
// `woken` those that were `good`.
#define BENCH_WOKEN(n, wait, good, woken)                                                          \
    do {                                                                                           \
        const volatile uint32_t *counter = bench_counter();                                        \
        volatile bench_probe_t *probe = bench_probe();                                             \
        for (uint32_t i = 0; i <= (n); i++) {                                                      \
            wait;                                                                                  \
            BENCH_END(counter, probe);                                                             \
            (woken) += (good) ? 1u : 0u;                                                           \
        }                                                                                          \
    } while (0)

// As `n`, for a task that takes part as long as it exists.
#define BENCH_FOR_EVER (UINT32_MAX - 1u)

// Keeps the sample just ended as number `index`; 0 is the cold one, 1 to n the others.
void bench_keep(uint32_t index);

// What PLATFORM_BENCH_IRQ calls from now on; 0: nothing.
void bench_set_isr(void (*isr)(void));

// What the idle task calls in its hook from now on, instead of sleeping; 0: it sleeps. Ended, as
// the interrupt is, with the benchmark.
void bench_set_idle(bench_idle_t idle);

#endif
