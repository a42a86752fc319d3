// SPDX-License-Identifier: MIT
#include "net_work.h"

#include "crash.h"
#include "kernel_compat.h"
#include "net_task.h"

static StackType_t s_stack[NET_WORK_STACK_BYTES / sizeof(StackType_t)] NET_UNINITIALISED;
static StaticTask_t s_block;
static StaticSemaphore_t s_turn_block, s_done_block;
static TaskHandle_t s_task;
static SemaphoreHandle_t s_turn, s_done;

// Written by the task whose turn it is, read by the worker after it was notified.
static int (*s_job)(void *);
static void *s_argument;
static int s_result;

static void net_work_task(void *unused)
{
    (void)unused;
    for (;;) {
        (void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        s_result = s_job(s_argument);
        (void)xSemaphoreGive(s_done);
    }
}

static const net_task_t s_facts = {.name = "net.work",
                                   .entry = net_work_task,
                                   .priority = NET_WORK_PRIORITY,
                                   .stack = s_stack,
                                   .stack_words = sizeof s_stack / sizeof s_stack[0],
                                   .block = &s_block};

static void net_work_prepare(void)
{
    vTaskSuspendAll(); // two tasks may need it first at once
    if (s_turn == NULL) {
        s_turn = xSemaphoreCreateMutexStatic(&s_turn_block);
        s_done = xSemaphoreCreateBinaryStatic(&s_done_block);
    }
    (void)xTaskResumeAll();
}

int net_work_run(int (*job)(void *), void *argument)
{
    net_work_prepare();
    ASSERT(xTaskGetCurrentTaskHandle() != s_task);
    (void)xSemaphoreTake(s_turn, portMAX_DELAY);
    if (s_task == NULL) {
        s_task = net_task_make(&s_facts, NULL);
    }
    s_job = job;
    s_argument = argument;
    (void)xTaskNotifyGive(s_task);
    (void)xSemaphoreTake(s_done, portMAX_DELAY);
    int result = s_result;
    (void)xSemaphoreGive(s_turn);
    return result;
}

void net_work_end(void)
{
    net_work_prepare();
    (void)xSemaphoreTake(s_turn, portMAX_DELAY);
    if (s_task != NULL) {
        net_task_end(s_task);
        s_task = NULL;
    }
    (void)xSemaphoreGive(s_turn);
}
