// SPDX-License-Identifier: MIT
// Kernel micro-benchmarks: how one kernel primitive is timed, sample by sample.
//
// A benchmark runs in the bench task, above every other task but its peer, with reception held and
// the writer taken, beginning right after a tick: when its command arrived cannot move a sample.
// A sample is the counter's difference over the measured section, overhead included; the cost of
// the probe alone is measured by the same code around nothing and reported apart. The first (cold)
// run of the primitive is reported apart too. Nothing is printed between first and last sample.
//
// To add one: write run (and peer, if another task must take part) and a row in bench_table.c. Take
// samples by BENCH_BEGIN, BENCH_END (or BENCH_END_AT) and bench_keep: an instrument outside sees
// these, and counts between them.
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

// A mark tells an outside instrument where a sample begins, ends and is kept. It is two words in
// the section .bench_marks of the ELF, which is not loaded: the address of the next instruction,
// and what is there. It adds no instruction. How it is read: rig/image/bench_marks.py.
__asm(".macro bench_mark kind\n"
      "9990:\n"
      ".pushsection .bench_marks, \"\", %progbits\n"
      ".word 9990b, \\kind\n"
      ".popsection\n"
      ".endm");

#define BENCH_MARK_BEGAN 1 // the counter load before it began a sample
#define BENCH_MARK_ENDS  2 // the counter load behind it ends the sample
#define BENCH_MARK_ENDED 3 // the counter load before it ended the sample
#define BENCH_MARK_KEPT  4 // the sample is kept

#define BENCH_MARK(kind) __asm volatile("bench_mark %c0" ::"i"(kind) : "memory")

// A board without a marker pin does nothing.
#ifndef PLATFORM_MARKER_RAISE
    #define PLATFORM_MARKER_RAISE() ((void)0)
    #define PLATFORM_MARKER_LOWER() ((void)0)
#endif

// Begin and end of a sample: load the counter, store it. BENCH_BEGIN stands last before the
// measured primitive, BENCH_END first behind it, in whichever task that is; both want `counter` and
// `probe` from above in registers.
#define BENCH_BEGIN(counter, probe)                                                                \
    do {                                                                                           \
        (probe)->ticks_before = g_tick_interrupts;                                                 \
        PLATFORM_MARKER_RAISE();                                                                   \
        (probe)->begin = *(counter);                                                               \
        BENCH_MARK(BENCH_MARK_BEGAN);                                                              \
    } while (0)

#define BENCH_END(counter, probe)                                                                  \
    do {                                                                                           \
        BENCH_MARK(BENCH_MARK_ENDS);                                                               \
        (probe)->end = *(counter);                                                                 \
        PLATFORM_MARKER_LOWER();                                                                   \
        (probe)->ticks_after = g_tick_interrupts;                                                  \
    } while (0)

// An end for a task that learns only behind the load whether there was a sample to end: `stopped`
// is what it loaded.
#define BENCH_END_AT(stopped, probe)                                                               \
    do {                                                                                           \
        BENCH_MARK(BENCH_MARK_ENDED);                                                              \
        (probe)->end = (stopped);                                                                  \
        PLATFORM_MARKER_LOWER();                                                                   \
        (probe)->ticks_after = g_tick_interrupts;                                                  \
    } while (0)

// A whole benchmark whose primitive begins and ends in the bench task: for n + 1 samples does
// `before`, measures `primitive`, and returns `fault` from the function unless `good` holds.
#define BENCH_LOOP(n, before, primitive, good, fault)                                              \
    do {                                                                                           \
        const volatile uint32_t *counter = bench_counter();                                        \
        volatile bench_probe_t *probe = bench_probe();                                             \
        for (uint32_t i = 0; i <= (n); i++) {                                                      \
            before;                                                                                \
            BENCH_BEGIN(counter, probe);                                                           \
            primitive;                                                                             \
            BENCH_END(counter, probe);                                                             \
            if (!(good)) {                                                                         \
                return (fault);                                                                    \
            }                                                                                      \
            bench_keep(i);                                                                         \
        }                                                                                          \
    } while (0)

// Keeps the sample just ended as number `index`; 0 is the cold one, 1 to n the others.
void bench_keep(uint32_t index);

// What PLATFORM_BENCH_IRQ calls from now on; 0: nothing.
void bench_set_isr(void (*isr)(void));

#endif
