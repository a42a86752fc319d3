// SPDX-License-Identifier: MIT
// Tasks suspended and resumed, priorities raised, and the scheduler itself suspended.
#include "bench.h"
#include "bench_helpers.h"
#include "bench_rows.h"
#include "platform.h"
#include "tasks.h"

static volatile uint32_t s_woken;

// ---- vTaskResume, vTaskSuspend -----------------------------------------------------------------

void bench_peer_wake_resume(uint32_t n)
{
    s_woken = 0;
    BENCH_WOKEN(n, vTaskSuspend(NULL), true, s_woken);
}

const char *bench_run_wake_resume(uint32_t n, int32_t arg)
{
    (void)arg;
    TaskHandle_t peer = tasks_handle(TASK_BENCH_PEER);
    BENCH_WAKE(n, (void)0, vTaskResume(peer), s_woken == i + 1u,
               "the resumed task did not run before vTaskResume returned, or not once");
    return NULL;
}

static void suspend_isr(void)
{
    BaseType_t woken = xTaskResumeFromISR(tasks_handle(TASK_BENCH_PEER));
    portYIELD_FROM_ISR(woken);
}

// An interrupt resumes the peer, which begins the sample and suspends itself again.
void bench_peer_suspend_self(uint32_t n)
{
    const volatile uint32_t *counter = bench_counter();
    volatile bench_probe_t *probe = bench_probe();
    s_woken = 0;
    vTaskSuspend(NULL);
    for (uint32_t i = 0; i <= n; i++) {
        s_woken++;
        BENCH_BEGIN(counter, probe);
        vTaskSuspend(NULL);
    }
}

// One interrupt more than samples lets the peer out of its last suspension.
const char *bench_run_suspend_self(uint32_t n, int32_t arg)
{
    (void)arg;
    TaskHandle_t peer = tasks_handle(TASK_BENCH_PEER);
    bench_set_isr(suspend_isr);
    BENCH_GO_ON(n, platform_bench_irq_pend(),
                s_woken == i + 1u && eTaskGetState(peer) == eSuspended,
                "the task did not suspend itself, or was not resumed once");
    platform_bench_irq_pend();
    return NULL;
}

// ---- vTaskPrioritySet --------------------------------------------------------------------------

// Steps below the bench task, which thereby goes on and raises it; raised, it must be above.
void bench_peer_prio_raise(uint32_t n)
{
    s_woken = 0;
    BENCH_WOKEN(n, vTaskPrioritySet(NULL, BENCH_HELPER_BELOW),
                uxTaskPriorityGet(NULL) == TASK_BENCH_PEER_PRIORITY, s_woken);
}

const char *bench_run_prio_raise(uint32_t n, int32_t arg)
{
    (void)arg;
    TaskHandle_t peer = tasks_handle(TASK_BENCH_PEER);
    BENCH_WAKE(n, bool below = uxTaskPriorityGet(peer) < uxTaskPriorityGet(NULL) && s_woken == i,
               vTaskPrioritySet(peer, TASK_BENCH_PEER_PRIORITY), below && s_woken == i + 1u,
               "the raised task did not run before vTaskPrioritySet returned, or not raised");
    return NULL;
}

// ---- vTaskSuspendAll, xTaskResumeAll -----------------------------------------------------------

static uint32_t s_pended; // helpers that the interrupt makes ready
enum { PENDED_MAX = 5 };

static volatile uint32_t s_runs[PENDED_MAX]; // how often each of them ran

bool bench_takes_pended(int32_t arg)
{
    return arg == 0 || arg == 1 || arg == PENDED_MAX;
}

static void suspendall_isr(void)
{
    BaseType_t woken = pdFALSE;
    for (uint32_t i = 0; i < s_pended; i++) {
        vTaskNotifyGiveFromISR(bench_helper(i), &woken);
    }
    portYIELD_FROM_ISR(woken);
}

static void suspendall_helper(void *index)
{
    volatile uint32_t *runs = &s_runs[(uintptr_t)index];
    for (;;) {
        *runs += ulTaskNotifyTake(pdTRUE, portMAX_DELAY) == 1u ? 1u : 0u;
    }
}

static void suspendall_start(uint32_t helpers)
{
    for (s_pended = 0; s_pended < helpers; s_pended++) {
        s_runs[s_pended] = 0;
        (void)bench_helper_start(suspendall_helper, BENCH_HELPER_ABOVE);
    }
}

static bool suspendall_each_ran(uint32_t times)
{
    bool good = true;
    for (uint32_t i = 0; i < s_pended; i++) {
        good = good && s_runs[i] == times;
    }
    return good;
}

static void suspendall_move(UBaseType_t priority)
{
    for (uint32_t i = 0; i < s_pended; i++) {
        vTaskPrioritySet(bench_helper(i), priority);
    }
}

// Before the samples: tasks that are above the bench task do not run when they become ready, and
// all of them run inside xTaskResumeAll.
static const char *suspendall_check_order(void)
{
    vTaskSuspendAll();
    platform_bench_irq_pend();
    bool held = suspendall_each_ran(0);
    (void)xTaskResumeAll();
    if (!held) {
        return "a task ran while the scheduler was suspended";
    }
    return suspendall_each_ran(1) ? NULL : "xTaskResumeAll did not let each pended task run once";
}

static bool suspendall_all_ready(void)
{
    for (uint32_t i = 0; i < s_pended; i++) {
        if (eTaskGetState(bench_helper(i)) != eReady) {
            return false;
        }
    }
    return true;
}

// Lifted above the bench task, those that are really ready run at once.
static bool suspendall_each_runs(uint32_t times_before)
{
    bool ready = suspendall_each_ran(times_before) && suspendall_all_ready();
    suspendall_move(BENCH_HELPER_ABOVE);
    suspendall_move(BENCH_HELPER_BELOW);
    return ready && suspendall_each_ran(times_before + 1u);
}

static uint32_t suspendall_pend(void)
{
    uint32_t ticks = g_tick_interrupts;
    vTaskSuspendAll();
    platform_bench_irq_pend();
    return ticks;
}

// The two calls in the other order: the tasks become ready before the sample, with the scheduler
// suspended, and the interrupt that does it costs the sample nothing. They are below the bench
// task, so that no switch is in it. A tick since the suspension is worked off in the sample.
const char *bench_run_suspendall(uint32_t n, int32_t arg)
{
    suspendall_start((uint32_t)arg);
    bench_set_isr(suspendall_isr);
    const char *fault = suspendall_check_order();
    if (fault != NULL) {
        return fault;
    }
    suspendall_move(BENCH_HELPER_BELOW);
    BENCH_LOOP(
        n, uint32_t ticks = suspendall_pend(), (void)xTaskResumeAll();
        vTaskSuspendAll(),
        (probe->ticks_before = ticks, (void)xTaskResumeAll(), suspendall_each_runs(i + 1u)) &&
            xTaskGetSchedulerState() == taskSCHEDULER_RUNNING,
        "not each pended task was ready after xTaskResumeAll, and no other");
    return NULL;
}
