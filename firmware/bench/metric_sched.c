// SPDX-License-Identifier: MIT
// Metrics of the scheduler: one task alone, tasks that yield, tasks that preempt.
#include "bench_helpers.h"
#include "metric.h"
#include "metric_rows.h"
#include "metric_work.h"

#include "platform.h"

enum { WORDS = 1024, LOWEST = 1 };

static volatile uint32_t s_counters[METRIC_TASKS];

static uint32_t sched_sum(void)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < METRIC_TASKS; i++) {
        sum += s_counters[i];
    }
    return sum;
}

static void sched_clear(void)
{
    for (uint32_t i = 0; i < METRIC_TASKS; i++) {
        s_counters[i] = 0;
    }
}

// ---- basic: the measure of the core itself, without a kernel call -------------------------------

static uint32_t s_table[WORDS];

static void basic_task(void *unused)
{
    (void)unused;
    while (!g_metric_stop) {
        for (uint32_t i = 0; i < WORDS; i++) {
            s_table[i] = metric_step(s_table[i]);
        }
        s_counters[0]++;
    }
    metric_task_done();
}

const char *metric_start_basic(void)
{
    sched_clear();
    for (uint32_t i = 0; i < WORDS; i++) {
        s_table[i] = i;
    }
    (void)bench_helper_start(basic_task, LOWEST);
    return NULL;
}

uint32_t metric_count_basic(void)
{
    return s_counters[0];
}

const char *metric_check_basic(uint32_t tick_count)
{
    (void)tick_count;
    for (uint32_t i = 0; i < WORDS; i++) {
        if (s_table[i] != metric_jump(i, s_counters[0])) {
            return "a word of the table is not where its passes bring it";
        }
    }
    return NULL;
}

// ---- cooperative --------------------------------------------------------------------------------

static void cooperative_task(void *slot)
{
    while (!g_metric_stop) {
        taskYIELD();
        s_counters[(uintptr_t)slot]++;
    }
    metric_task_done();
}

const char *metric_start_cooperative(void)
{
    sched_clear();
    for (uint32_t slot = 0; slot < METRIC_TASKS; slot++) {
        (void)bench_helper_start(cooperative_task, LOWEST);
    }
    return NULL;
}

uint32_t metric_count_cooperative(void)
{
    return sched_sum();
}

// The tasks take turns, so that their counters agree within one; with time slicing a tick ends the
// turn of the task it hits before its yield, which puts that task one behind.
const char *metric_check_cooperative(uint32_t tick_count)
{
    uint32_t least = UINT32_MAX;
    uint32_t most = 0;
    for (uint32_t i = 0; i < METRIC_TASKS; i++) {
        least = s_counters[i] < least ? s_counters[i] : least;
        most = s_counters[i] > most ? s_counters[i] : most;
    }
    uint32_t permitted = 1u + (configUSE_TIME_SLICING ? tick_count : 0u);
    return most - least <= permitted ? NULL : "the tasks did not take turns";
}

// ---- preemptive ---------------------------------------------------------------------------------

// The lowest task drives; each resumes the one above, which runs at once until it suspends itself.
static void preemptive_driver(void *unused)
{
    (void)unused;
    while (!g_metric_stop) {
        vTaskResume(bench_helper(1));
        s_counters[0]++;
    }
    metric_task_done();
}

static void preemptive_task(void *argument)
{
    uint32_t slot = (uint32_t)(uintptr_t)argument;
    for (;;) {
        vTaskSuspend(NULL);
        if (slot + 1u < METRIC_TASKS) {
            vTaskResume(bench_helper(slot + 1u));
        }
        s_counters[slot]++;
    }
}

const char *metric_start_preemptive(void)
{
    sched_clear();
    for (uint32_t slot = 0; slot < METRIC_TASKS; slot++) {
        (void)bench_helper_start(slot == 0u ? preemptive_driver : preemptive_task, LOWEST + slot);
    }
    return NULL;
}

uint32_t metric_count_preemptive(void)
{
    return sched_sum();
}

// A higher task counts before the one that resumed it does: at the end all stand alike.
const char *metric_check_preemptive(uint32_t tick_count)
{
    (void)tick_count;
    for (uint32_t i = 1; i < METRIC_TASKS; i++) {
        if (s_counters[i] != s_counters[0]) {
            return "a resumed task did not run, or not once";
        }
    }
    return NULL;
}
