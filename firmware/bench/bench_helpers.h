// SPDX-License-Identifier: MIT
// Helper tasks of one benchmark or metric, for those that need more than the peer. Static memory.
// Started by its run, deleted when it ends, however it ends: nothing is left of them.
#ifndef BENCH_HELPERS_H
#define BENCH_HELPERS_H

#include "kernel_compat.h"
#include "tasks.h"

#include <stdbool.h>

enum {
    BENCH_HELPERS = 20,                                  // at most, at once
    BENCH_HELPER_ABOVE = TASK_BENCH_PEER_PRIORITY,       // runs as soon as it is ready
    BENCH_HELPER_BELOW = TASK_BENCH_PRIORITY - 1,        // runs when the bench task waits
    BENCH_HELPER_HIGHEST = TASK_BENCH_PEER_PRIORITY + 1, // above a helper above
};

// Starts helper 0, 1, … in this order, with `entry`, which never returns and whose argument is that
// number. One that is above the bench task runs until it waits before this returns. Helpers of one
// priority are cut off from one another by ticks: none may write what another one writes. From the
// task that runs the benchmark only.
TaskHandle_t bench_helper_start(TaskFunction_t entry, UBaseType_t priority);

// Helper `index` of those that run.
TaskHandle_t bench_helper(uint32_t index);

// Whether there are `count` helpers and all are ready, or all blocked.
bool bench_helpers_are(uint32_t count, bool ready);

// Deletes all helpers, wherever they wait. From the task that started them.
void bench_helpers_stop(void);

#endif
