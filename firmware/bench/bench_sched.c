// SPDX-License-Identifier: MIT
// Scheduler primitives.
#include "bench.h"
#include "bench_rows.h"
#include "kernel_compat.h"

// taskYIELD to oneself switches out and in again: proven by the stack pointer the switch saves in
// the task's control block, which is cleared before. Called after BENCH_END.
const char *bench_run_yield_self(uint32_t n, int32_t arg)
{
    (void)arg;
    const volatile uint32_t *counter = bench_counter();
    volatile bench_probe_t *probe = bench_probe();
    volatile StackType_t *saved = kernel_saved_stack_slot(xTaskGetCurrentTaskHandle());
    uint32_t switches = 0;
    for (uint32_t i = 0; i <= n; i++) {
        *saved = 0;
        BENCH_BEGIN(counter, probe);
        taskYIELD();
        BENCH_END(counter, probe);
        switches += *saved != 0u ? 1u : 0u;
        bench_keep(i);
    }
    return switches == n + 1u ? NULL : "taskYIELD did not switch context";
}
