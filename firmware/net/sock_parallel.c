// SPDX-License-Identifier: MIT
#include "sock_parallel.h"

#include "crash.h"
#include "kernel_compat.h"
#include "net_task.h"
#include "sock_jobs.h"

enum { STACK_WORDS = 1280 };

// What one task does: the job, on the connection that its transfer names.
typedef struct {
    int (*job)(void *);
    sock_transfer_t *transfer;
    TaskHandle_t task, waiter;
} part_t;

static StackType_t s_stacks[SOCK_PARALLEL_TASKS][STACK_WORDS] NET_UNINITIALISED;
static StaticTask_t s_blocks[SOCK_PARALLEL_TASKS];
static part_t s_parts[SOCK_PARALLEL_TASKS];
static sock_transfer_t s_transfers[SOCK_PARALLEL_TASKS];

// Ends by waiting: the one who made it deletes it.
static void sock_parallel_task(void *argument)
{
    part_t *part = argument;
    (void)part->job(part->transfer);
    (void)xTaskNotifyGive(part->waiter);
    for (;;) {
        (void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
    }
}

static void sock_parallel_run(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        s_parts[i].waiter = xTaskGetCurrentTaskHandle();
        const net_task_t facts = {.name = "net.parallel",
                                  .entry = sock_parallel_task,
                                  .priority = NET_WORK_PRIORITY,
                                  .stack = s_stacks[i],
                                  .stack_words = STACK_WORDS,
                                  .block = &s_blocks[i]};
        s_parts[i].task = net_task_make(&facts, &s_parts[i]);
    }
    for (uint32_t done = 0; done < count;) {
        done += ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
    }
    for (uint32_t i = 0; i < count; i++) {
        net_task_end(s_parts[i].task);
    }
}

static status_t sock_parallel_open(const sock_parallel_t *parallel, sock_transfer_t *transfer,
                                   uint32_t number)
{
    *transfer = (sock_transfer_t){
        .stack = net_stack(),
        .length = parallel->length,
        .seed = parallel->seed + number,
        .chunk = SOCK_CHUNK_BYTES,
        .timeout_ms = parallel->timeout_ms,
    };
    transfer->handle =
        transfer->stack->connect(parallel->host, parallel->port, parallel->timeout_ms);
    return transfer->handle < 0 ? (status_t)transfer->handle : STATUS_OK;
}

// Two tasks share the first connection: the second one's transfer is its receiving side.
static uint32_t sock_parallel_share(void)
{
    s_transfers[1] = s_transfers[0];
    s_parts[0] = (part_t){.job = sock_job_send, .transfer = &s_transfers[0]};
    s_parts[1] = (part_t){.job = sock_job_receive, .transfer = &s_transfers[1]};
    return 2;
}

static void sock_parallel_sum(sock_parallel_t *parallel, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const sock_transfer_t *transfer = &s_transfers[i];
        parallel->same += transfer->same;
        parallel->whole += transfer->same == parallel->length;
        if (transfer->end != STATUS_OK && parallel->end == STATUS_OK) {
            parallel->end = transfer->end;
        }
    }
}

int sock_job_parallel(void *argument)
{
    sock_parallel_t *parallel = argument;
    uint32_t began = sock_now_us();
    uint32_t wanted = parallel->shared ? 1u : parallel->tasks;
    uint32_t opened = 0;
    parallel->end = net_stack() == NULL ? STATUS_ABSENT : STATUS_OK;
    while (opened < wanted && parallel->end == STATUS_OK) {
        parallel->end = sock_parallel_open(parallel, &s_transfers[opened], opened);
        s_parts[opened] = (part_t){.job = sock_job_echo, .transfer = &s_transfers[opened]};
        opened += parallel->end == STATUS_OK;
    }
    uint32_t tasks = parallel->shared && opened == 1u ? sock_parallel_share() : opened;
    if (parallel->end == STATUS_OK) {
        sock_parallel_run(tasks);
        sock_parallel_sum(parallel, tasks);
    }
    for (uint32_t i = 0; i < opened; i++) {
        (void)s_transfers[i].stack->close(s_transfers[i].handle);
    }
    parallel->took_us = sock_now_us() - began;
    return parallel->end;
}
