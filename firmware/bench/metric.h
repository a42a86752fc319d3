// SPDX-License-Identifier: MIT
// Throughput of the kernel: how often tasks get a piece of work done in a given target time, as the
// Thread-Metric test suite defines its eight tests (described there in words; this code is our
// own), and a ramp in the manner of the Hartstone benchmark.
//
// A metric makes its tasks, lets them run for whole seconds by the kernel's tick, and takes their
// counters. The controller, which is the console task at the highest priority, wakes once a second
// to add up the counter (which may wrap within a run); it starts right after a tick on which nobody
// was ready, with reception held and the writer taken, so that the same image counts the same on
// every run of an exact clock. Afterwards every task comes to its end, each metric proves that its
// parties did the same number of things and that no data changed, the tasks are deleted, and heap
// and task count must be as before.
#ifndef METRIC_H
#define METRIC_H

#include "kernel_compat.h"

#include <stddef.h>
#include <stdint.h>

enum { METRIC_TASKS = 5, METRIC_MAX_SECONDS = 60 };

// One metric. Functions return 0, or a text that says what went wrong.
typedef struct {
    const char *id;
    uint32_t parties; // counters that a round raises by one each: `count` is the sum of them all
    uint32_t drivers; // tasks that end by metric_task_done when told to stop
    const char *help;
    const char *(*start)(void);                // makes objects and tasks
    uint32_t (*count)(void);                   // the counters' sum; from the controller
    const char *(*check)(uint32_t tick_count); // after the tasks' end; ticks that the run lasted
} metric_row_t;

// Row `index` of the table, or 0 behind the last one; row of an id, or 0.
const metric_row_t *metric_row(size_t index);
const metric_row_t *metric_find(const char *id);

typedef struct {
    const char *fault; // 0: all was proven
    uint32_t count;
    uint64_t elapsed; // counter ticks from start to count
} metric_result_t;

// Runs a metric for `seconds` of target time. From the console task only; blocks.
metric_result_t metric_run(const metric_row_t *row, uint32_t seconds);

// Outcome of the ramp. Loads in permille of the core.
typedef struct {
    const char *fault;
    uint32_t met;    // highest load at which every deadline was met; 0: none
    uint32_t missed; // load of the first missed deadline
    uint32_t task;   // who missed it: 0 has the shortest period ...
    uint32_t period; // ... in ticks
    uint32_t job;    // which of its jobs, from 0
    uint32_t steps;  // loads tried
    uint32_t unit;   // counter ticks of METRIC_UNIT steps of work, as calibrated
} metric_ramp_t;

enum { METRIC_UNIT = 256 };

// Raises the load of five periodic tasks from `start` by `step` permille until a deadline is
// missed. From the console task only; blocks. Needs KERNEL_HAS_DELAY_UNTIL.
metric_ramp_t metric_ramp(uint32_t start, uint32_t step);

// ---- for the metrics themselves (metric_runner.c) -----------------------------------------------

// Set when the controller has its count: a driver's loop ends then.
extern volatile bool g_metric_stop;

// Quiet and back: what a run does before and after its tasks.
void metric_begin(void);
const char *metric_end(void);

// Its tasks are helpers (bench_helpers.h); they may run only after the controller waits.

// A task's last call: tells the controller that its work is done. Does not return.
_Noreturn void metric_task_done(void);

// Waits until `drivers` tasks called metric_task_done; false if one did not in time.
bool metric_await(uint32_t drivers, TickType_t ticks);

#endif
