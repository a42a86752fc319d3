// SPDX-License-Identifier: MIT
#include "net_crew.h"

#include "kernel_compat.h"
#include "net_task.h"

#include <stdint.h>

static StackType_t s_stacks[NET_CREW_COUNT]
                           [NET_CREW_STACK_BYTES / sizeof(StackType_t)] NET_UNINITIALISED;
static StaticTask_t s_blocks[NET_CREW_COUNT];
static StaticSemaphore_t s_done_block;
static SemaphoreHandle_t s_done;
static int (*s_job)(void *, size_t);
static void *s_argument;
static int s_results[NET_CREW_COUNT];

// Waits to be deleted: a static task must not delete itself, or its block is used when it is
// reused.
static void net_crew_task(void *number)
{
    size_t index = (size_t)(uintptr_t)number;
    s_results[index] = s_job(s_argument, index);
    (void)xSemaphoreGive(s_done);
    for (;;) {
        (void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
    }
}

int net_crew_run(size_t count, int (*job)(void *argument, size_t number), void *argument)
{
    TaskHandle_t tasks[NET_CREW_COUNT];
    int failed = 0;
    s_done = xSemaphoreCreateCountingStatic(NET_CREW_COUNT, 0, &s_done_block);
    s_job = job;
    s_argument = argument;
    for (size_t i = 0; i < count; i++) {
        const net_task_t facts = {.name = "net.crew",
                                  .entry = net_crew_task,
                                  .priority = NET_WORK_PRIORITY,
                                  .stack = s_stacks[i],
                                  .stack_words = NET_CREW_STACK_BYTES / sizeof(StackType_t),
                                  .block = &s_blocks[i]};
        tasks[i] = net_task_make(&facts, (void *)(uintptr_t)i);
    }
    for (size_t i = 0; i < count; i++) {
        (void)xSemaphoreTake(s_done, portMAX_DELAY);
    }
    for (size_t i = 0; i < count; i++) {
        net_task_end(tasks[i]);
        failed += s_results[i] != 0;
    }
    return failed;
}
