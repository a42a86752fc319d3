// SPDX-License-Identifier: MIT
// Scheduler primitives.
#include "bench.h"
#include "bench_rows.h"
#include "platform.h"
#include "tasks.h"

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

// ---- taskYIELD to a task of the same priority ---------------------------------------------------

static volatile uint32_t s_begun; // samples the bench task announced
static volatile uint32_t s_ended; // of these, those the peer ended, each once
static volatile bool s_stop;

// Comes down to the bench task's priority and takes turns with it until told to stop. A tick slices
// time, so that it may run when no sample is open: it ends none then.
void bench_peer_yield_peer(uint32_t n)
{
    (void)n;
    const volatile uint32_t *counter = bench_counter();
    volatile bench_probe_t *probe = bench_probe();
    s_begun = 0;
    s_ended = 0;
    s_stop = false;
    vTaskPrioritySet(NULL, TASK_BENCH_PRIORITY);
    while (!s_stop) {
        taskYIELD();
        uint32_t end = *counter;
        if (s_begun != s_ended) {
            BENCH_END_AT(end, probe);
            s_ended++;
        }
    }
    vTaskPrioritySet(NULL, TASK_BENCH_PEER_PRIORITY);
}

// Gives the peer its turn once more after a tick, which may have cut it off on its way to the place
// where it waits for the next sample.
static void yield_peer_settle(uint32_t ticks)
{
    while (ticks != g_tick_interrupts) {
        ticks = g_tick_interrupts;
        taskYIELD();
    }
}

// Without a tick the peer must have run, once, when taskYIELD returns. If a tick let it run between
// the announcement and the begin there is no sample: the end lies before the begin.
const char *bench_run_yield_peer(uint32_t n, int32_t arg)
{
    (void)arg;
    const volatile uint32_t *counter = bench_counter();
    volatile bench_probe_t *probe = bench_probe();
    if (uxTaskPriorityGet(tasks_handle(TASK_BENCH_PEER)) != uxTaskPriorityGet(NULL)) {
        return "the peer has another priority";
    }
    for (uint32_t i = 0; i <= n;) {
        s_begun++;
        BENCH_BEGIN(counter, probe);
        taskYIELD();
        yield_peer_settle(probe->ticks_before);
        if (s_ended != s_begun) {
            return "the task of the same priority did not run, or not once";
        }
        if ((int32_t)(probe->end - probe->begin) > 0) {
            bench_keep(i++);
        }
    }
    s_stop = true;
    taskYIELD();
    return NULL;
}
