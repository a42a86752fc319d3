// SPDX-License-Identifier: MIT
// Tasks made and deleted. That a task exists is proven by its running when it is lifted above the
// bench task; that it is gone, by the kernel's count of tasks, its state and the heap.
#include "bench.h"
#include "bench_helpers.h"
#include "bench_rows.h"
#include "kernel_compat.h"

#include <string.h>

#define MADE_NAME "bench.made"

enum { PATIENCE_TICKS = 100 };

static StaticTask_t s_block;
static StackType_t s_stack[configMINIMAL_STACK_SIZE];
static volatile uint32_t s_ran;   // how often a made task ran
static volatile uintptr_t s_with; // the argument it was started with

static void task_made(void *with)
{
    s_with = (uintptr_t)with;
    s_ran++;
    for (;;) {
        vTaskSuspend(NULL);
    }
}

static void *task_argument(uint32_t index)
{
    return (void *)(uintptr_t)(index * 0x9E3779B9u + 1u);
}

// ---- creation ----------------------------------------------------------------------------------

// What the kernel says of a task that was made and did not run yet.
static bool task_is_ready(TaskHandle_t task, UBaseType_t tasks_before)
{
    return s_ran == 0u && eTaskGetState(task) == eReady &&
           uxTaskPriorityGet(task) == BENCH_HELPER_BELOW &&
           strcmp(pcTaskGetName(task), MADE_NAME) == 0 &&
           uxTaskGetNumberOfTasks() == tasks_before + 1u;
}

// Lets it run, once, and deletes it.
static bool task_proves(TaskHandle_t task, UBaseType_t tasks_before, uint32_t index)
{
    bool ready = task_is_ready(task, tasks_before);
    vTaskPrioritySet(task, BENCH_HELPER_ABOVE);
    bool ran = s_ran == 1u && s_with == (uintptr_t)task_argument(index);
    bool suspended = eTaskGetState(task) == eSuspended;
    vTaskDelete(task);
    s_ran = 0;
    return ready && ran && suspended && uxTaskGetNumberOfTasks() == tasks_before;
}

const char *bench_run_create_static(uint32_t n, int32_t arg)
{
    (void)arg;
    TaskHandle_t task = NULL;
    UBaseType_t tasks = uxTaskGetNumberOfTasks();
    s_ran = 0;
    BENCH_LOOP(n, void *with = task_argument(i),
               task = xTaskCreateStatic(task_made, MADE_NAME, configMINIMAL_STACK_SIZE, with,
                                        BENCH_HELPER_BELOW, s_stack, &s_block),
               task != NULL && task_proves(task, tasks, i),
               "the task made is not as ordered, or did not run once when it was raised");
    return NULL;
}

#if KERNEL_HAS_HEAP_FREE

const char *bench_run_create_dynamic(uint32_t n, int32_t arg)
{
    (void)arg;
    TaskHandle_t task = NULL;
    UBaseType_t tasks = uxTaskGetNumberOfTasks();
    size_t before = kernel_heap_free_bytes();
    s_ran = 0;
    BENCH_LOOP(n, void *with = task_argument(i);
               task = NULL,
               (void)xTaskCreate(task_made, MADE_NAME, configMINIMAL_STACK_SIZE, with,
                                 BENCH_HELPER_BELOW, &task),
               task != NULL && task_proves(task, tasks, i) && kernel_heap_free_bytes() == before,
               "the task made is not as ordered, did not run once when it was raised, or its "
               "memory did not come back");
    return NULL;
}

#endif

// ---- deletion ----------------------------------------------------------------------------------

static TaskHandle_t task_make_static(void)
{
    return xTaskCreateStatic(task_made, MADE_NAME, configMINIMAL_STACK_SIZE, NULL,
                             BENCH_HELPER_BELOW, s_stack, &s_block);
}

// A ready task of static memory: nothing goes to a heap. Deleted, it must never run again, also not
// when the bench task waits.
const char *bench_run_delete(uint32_t n, int32_t arg)
{
    (void)arg;
    TaskHandle_t task = NULL;
    UBaseType_t tasks = uxTaskGetNumberOfTasks();
    s_ran = 0;
    BENCH_LOOP(n, task = task_make_static(), vTaskDelete(task),
               uxTaskGetNumberOfTasks() == tasks && eTaskGetState(task) == eDeleted,
               "the task is still there");
    vTaskDelay(1);
    return s_ran == 0u ? NULL : "a deleted task ran";
}

#if KERNEL_HAS_HEAP_FREE

static TaskHandle_t s_bench;

// In the idle task, which has just looked for tasks to clean up, and will do so again next.
static void task_idle(void)
{
    const volatile uint32_t *counter = bench_counter();
    volatile bench_probe_t *probe = bench_probe();
    BENCH_END(counter, probe);
    (void)xTaskNotifyGive(s_bench); // the bench task runs, until it waits for the next turn
    BENCH_BEGIN(counter, probe);
}

static bool task_wait_for_idle(void)
{
    return ulTaskNotifyTake(pdTRUE, PATIENCE_TICKS) == 1u;
}

static void task_ends_itself(void *with)
{
    s_with = (uintptr_t)with;
    s_ran++;
    vTaskDelete(NULL);
}

// Makes a task that runs at once and is gone when this returns, but for its memory.
static bool task_make_ended(uint32_t index, size_t heap_before, UBaseType_t tasks_before)
{
    BaseType_t made = xTaskCreate(task_ends_itself, MADE_NAME, configMINIMAL_STACK_SIZE,
                                  task_argument(index), BENCH_HELPER_ABOVE, NULL);
    bool held = !KERNEL_HAS_HEAP_FREE_SIZE || kernel_heap_free_bytes() < heap_before;
    return made == pdPASS && s_ran == index + 1u && s_with == (uintptr_t)task_argument(index) &&
           held && uxTaskGetNumberOfTasks() == tasks_before + 1u;
}

static const char *task_run_delete_idle(uint32_t n)
{
    UBaseType_t tasks = uxTaskGetNumberOfTasks();
    size_t before = kernel_heap_free_bytes();
    for (uint32_t i = 0; i <= n; i++) {
        if (!task_make_ended(i, before, tasks)) {
            return "the task did not run once and end itself, or its memory went back too early";
        }
        if (!task_wait_for_idle()) {
            return "the idle task did not run";
        }
        if (kernel_heap_free_bytes() != before || uxTaskGetNumberOfTasks() != tasks) {
            return "the idle task did not clean up the task that ended itself";
        }
        bench_keep(i);
    }
    return NULL;
}

// From the idle hook's return to its next call: the idle task's look for tasks that ended, one of
// which it finds, and its own loop. The first turn finds none and is not kept.
const char *bench_run_delete_idle(uint32_t n, int32_t arg)
{
    (void)arg;
    s_ran = 0;
    s_bench = xTaskGetCurrentTaskHandle();
    bench_set_idle(task_idle);
    return task_wait_for_idle() ? task_run_delete_idle(n) : "the idle task did not run";
}

#endif
