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
// Loaded, a benchmark runs with all of this beside it, begun at a tick too, so that an exact clock
// gives the same samples every time (bench_load.c):
//
//   an interrupt every 331 us, at the priority of interrupts that call the kernel; it works for 32
//   rounds of a loop and notifies a task of priority 1, which runs when nobody else wants to
//   three tasks of the highest priority, which sleep 2, 3 and 5 ticks and then work 16 rounds
//   a software timer of 7 ticks, whose callback works 16 rounds
//
// Samples hit by that interrupt belong to the distribution: the loaded profile is what a primitive
// costs where such things happen. The tasks and the timer wake in a tick interrupt, so that they
// are in the samples a tick hit, apart as ever. Where the hardware has no alarm, the interrupt is
// left out (bench.context says load_us=0). A benchmark's own tasks must be above priority 1 and
// must not count on being the only ones at the highest.
//
// To add one: write run (and peer, if another task must take part; bench_helpers.h for more of
// them) and a row in bench_table.c. Take samples by BENCH_BEGIN, BENCH_END (or BENCH_END_AT) and
// bench_keep: an instrument outside sees these, and counts between them.
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
    bool loaded;
    uint32_t cold;       // first sample, with its tick bit
    uint32_t tick_hits;  // of n
    uint32_t overhead;   // smallest probe cost, in ticks
    uint32_t overhead_n; // probes that is the smallest of
} bench_result_t;

// Runs a benchmark, loaded or not, and waits for its end. From the console task only.
const bench_result_t *bench_run(const bench_row_t *row, uint32_t n, int32_t arg, bool loaded);

// Faults of a benchmark that cannot run, told apart by address: it needs an alarm, and the hardware
// has none; it measures nothing where the load runs, too.
extern const char g_bench_no_alarm[];
extern const char g_bench_only_idle[];

// The last run's result, and its samples: result.n of them.
const bench_result_t *bench_last(void);
const uint32_t *bench_samples(void);

// Interrupt PLATFORM_BENCH_IRQ; in the vector table. Does what the running benchmark set.
void bench_irq_handler(void);

// Interrupts of the two alarms; in the vector table.
void bench_alarm_handler(void);
void bench_load_handler(void);

// Called at every tick, by the tick hook.
void bench_on_tick(void);

// Whether a benchmark runs and the idle task must not put the core to sleep. Beside what waking
// costs, an emulator on an exact clock must not sleep where ticks count: QEMU 7.2 moves its time on
// twice for one sleep, and two ticks become one.
bool bench_is_awake(void);

// What the load is, as bench.context says it. `us`: period of its interrupt, 0 without an alarm.
typedef struct {
    uint32_t us;
    uint32_t isr_rounds;
    uint32_t tasks;
    uint32_t timers;
} bench_load_t;

bench_load_t bench_load(void);
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

#define BENCH_END(counter, probe) BENCH_END_INTO(counter, probe, (probe)->end)

// The same for one of several tasks that end a sample: each stores where the others do not, because
// a tick may come between its load and its store, and the latest is put into the probe afterwards.
#define BENCH_END_INTO(counter, probe, end_of_task)                                                \
    do {                                                                                           \
        BENCH_MARK(BENCH_MARK_ENDS);                                                               \
        (end_of_task) = *(counter);                                                                \
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

// Keeps as number `index` a sample whose begin no BENCH_BEGIN took: a moment that something was
// due. It has no tick bit: for benchmarks in which the tick is a part of what is measured, or no
// part.
void bench_keep_between(uint32_t index, uint32_t begin, uint32_t end);

// What is to be subtracted from this benchmark's samples, where it is not the empty probe, and the
// number of probes that is the smallest of; 0, 0: nothing.
void bench_set_overhead(uint32_t ticks, uint32_t probes);

// What PLATFORM_BENCH_IRQ calls from now on; 0: nothing.
void bench_set_isr(void (*isr)(void));

// Readies the alarm at an NVIC priority byte; what its handler calls from now on, with the counter
// at its entry. Returns 0 or g_bench_no_alarm. Stopped when the benchmark has ended.
const char *bench_start_alarm(uint8_t priority, void (*isr)(uint32_t entry));

// Whether the load runs. A benchmark that measures nothing then returns g_bench_only_idle.
bool bench_is_loaded(void);

// Puts back what the kernel keeps over from one benchmark to the next; in bench_fresh.c.
void bench_make_fresh(void);

// Starts and stops the load; from the bench task.
void bench_start_load(void);
void bench_stop_load(void);

// What the idle task calls in its hook from now on, instead of sleeping; 0: it sleeps. Ended, as
// the interrupt is, with the benchmark.
void bench_set_idle(bench_idle_t idle);

#endif
