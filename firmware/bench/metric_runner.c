// SPDX-License-Identifier: MIT
// Runs a metric: tasks, quiet, time, and everything back as it was.
#include "metric.h"

#include "bench.h"
#include "bench_helpers.h"
#include "platform.h"
#include "tasks.h"
#include "writer.h"

enum { QUIET_TICKS = 3, CONTROLLER_PRIORITY = configMAX_PRIORITIES - 1 };
enum { DRAIN_TICKS = configTICK_RATE_HZ };

volatile bool g_metric_stop;

static TaskHandle_t s_controller;
static size_t s_heap_before;
static UBaseType_t s_tasks_before;
static UBaseType_t s_priority_before;

_Noreturn void metric_task_done(void)
{
    (void)xTaskNotifyGive(s_controller);
    for (;;) {
        vTaskSuspend(NULL);
    }
}

bool metric_await(uint32_t drivers, TickType_t ticks)
{
    for (uint32_t i = 0; i < drivers; i++) {
        if (ulTaskNotifyTake(pdFALSE, ticks) == 0u) {
            return false;
        }
    }
    return true;
}

void metric_begin(void)
{
    writer_hold();
    platform_uart_receive_hold(true);
    s_controller = xTaskGetCurrentTaskHandle();
    s_priority_before = uxTaskPriorityGet(NULL);
    s_heap_before = kernel_heap_free_bytes();
    s_tasks_before = uxTaskGetNumberOfTasks();
    g_metric_stop = false;
    vTaskPrioritySet(NULL, CONTROLLER_PRIORITY);
    (void)ulTaskNotifyTake(pdTRUE, 0); // a byte's notification, left from the command line
    vTaskDelay(QUIET_TICKS);
}

const char *metric_end(void)
{
    bench_set_isr(NULL);
    bench_helpers_stop();
    bool as_before =
        uxTaskGetNumberOfTasks() == s_tasks_before && kernel_heap_free_bytes() == s_heap_before;
    vTaskPrioritySet(NULL, s_priority_before);
    platform_uart_receive_hold(false);
    writer_release();
    return as_before ? NULL : "heap or tasks are not as before";
}

// Sleeps `seconds`, and returns the counter's way meanwhile: it may wrap, but not within a second.
static uint64_t metric_sleep(uint32_t seconds)
{
    TickType_t last = xTaskGetTickCount();
    uint32_t before = *bench_counter();
    uint64_t elapsed = 0;
    for (uint32_t i = 0; i < seconds; i++) {
        kernel_delay_until(&last, configTICK_RATE_HZ);
        uint32_t now = *bench_counter();
        elapsed += now - before;
        before = now;
    }
    return elapsed;
}

static const char *metric_execute(const metric_row_t *row, uint32_t seconds,
                                  metric_result_t *result)
{
    TickType_t begin = xTaskGetTickCount();
    const char *fault = row->start();
    if (fault != NULL) {
        return fault;
    }
    result->elapsed = metric_sleep(seconds);
    result->count = row->count();
    g_metric_stop = true;
    if (!metric_await(row->drivers, DRAIN_TICKS)) {
        return "a task did not come to its end";
    }
    fault = row->check((uint32_t)(xTaskGetTickCount() - begin));
    return fault == NULL && result->count == 0u ? "nothing was counted" : fault;
}

metric_result_t metric_run(const metric_row_t *row, uint32_t seconds)
{
    metric_result_t result = {0};
    metric_begin();
    result.fault = metric_execute(row, seconds, &result);
    const char *left = metric_end();
    result.fault = result.fault == NULL ? left : result.fault;
    return result;
}
