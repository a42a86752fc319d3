// SPDX-License-Identifier: MIT
// Metrics of the kernel's objects: a queue, a semaphore, the heap; each by one task alone.
#include "bench_helpers.h"
#include "metric.h"
#include "metric_rows.h"
#include "metric_work.h"

enum { PRIORITY = 1, MESSAGE_WORDS = 4, QUEUE_LENGTH = 10, BLOCK_BYTES = 128 };

static volatile uint32_t s_counter;
static volatile uint32_t s_faults;

static const char *object_start(TaskFunction_t body)
{
    s_counter = 0;
    s_faults = 0;
    (void)bench_helper_start(body, PRIORITY);
    return NULL;
}

// ---- message ------------------------------------------------------------------------------------

static QueueHandle_t s_queue;

// Each message follows from the one before, so that a repeated or a changed one shows.
static void message_task(void *unused)
{
    (void)unused;
    uint32_t out[MESSAGE_WORDS] = {1, 2, 3, 4};
    uint32_t in[MESSAGE_WORDS] = {0};
    while (!g_metric_stop) {
        out[0] = metric_step(in[0]);
        out[3] = ~out[0];
        BaseType_t sent = xQueueSend(s_queue, out, 0);
        BaseType_t got = xQueueReceive(s_queue, in, 0);
        if (sent != pdPASS || got != pdPASS || in[0] != out[0] || in[3] != ~in[0]) {
            s_faults++;
        }
        s_counter++;
    }
    if (in[0] != metric_jump(0, s_counter) || in[1] != 2u || in[2] != 3u) {
        s_faults++;
    }
    metric_task_done();
}

const char *metric_start_message(void)
{
    static StaticQueue_t s_memory;
    static uint8_t s_storage[QUEUE_LENGTH * MESSAGE_WORDS * sizeof(uint32_t)];
    s_queue =
        xQueueCreateStatic(QUEUE_LENGTH, MESSAGE_WORDS * sizeof(uint32_t), s_storage, &s_memory);
    return object_start(message_task);
}

uint32_t metric_count_message(void)
{
    return s_counter;
}

const char *metric_check_message(uint32_t tick_count)
{
    (void)tick_count;
    bool empty = uxQueueMessagesWaiting(s_queue) == 0u;
    return s_faults == 0u && empty ? NULL : "a message was lost, doubled or changed";
}

// ---- synchronisation ----------------------------------------------------------------------------

static SemaphoreHandle_t s_semaphore;

static void synchronisation_task(void *unused)
{
    (void)unused;
    while (!g_metric_stop) {
        BaseType_t taken = xSemaphoreTake(s_semaphore, 0);
        BaseType_t given = xSemaphoreGive(s_semaphore);
        if (taken != pdPASS || given != pdPASS) {
            s_faults++;
        }
        s_counter++;
    }
    metric_task_done();
}

const char *metric_start_synchronisation(void)
{
    static StaticSemaphore_t s_memory;
    s_semaphore = xSemaphoreCreateBinaryStatic(&s_memory);
    (void)xSemaphoreGive(s_semaphore);
    return object_start(synchronisation_task);
}

uint32_t metric_count_synchronisation(void)
{
    return s_counter;
}

const char *metric_check_synchronisation(uint32_t tick_count)
{
    (void)tick_count;
    bool given = uxQueueMessagesWaiting(s_semaphore) == 1u;
    return s_faults == 0u && given ? NULL : "the semaphore was not there, or twice";
}

// ---- allocation ---------------------------------------------------------------------------------

#if KERNEL_HAS_HEAP_FREE
static void allocation_task(void *unused)
{
    (void)unused;
    while (!g_metric_stop) {
        uint32_t *block = pvPortMalloc(BLOCK_BYTES);
        if (block == NULL) {
            s_faults++;
        } else {
            block[0] = s_counter;
            block[BLOCK_BYTES / sizeof *block - 1u] = s_counter;
        }
        vPortFree(block);
        s_counter++;
    }
    metric_task_done();
}

const char *metric_start_allocation(void)
{
    return object_start(allocation_task);
}

uint32_t metric_count_allocation(void)
{
    return s_counter;
}

// That the heap has all its bytes back is proven behind every metric.
const char *metric_check_allocation(uint32_t tick_count)
{
    (void)tick_count;
    return s_faults == 0u ? NULL : "the heap gave no block";
}
#endif
