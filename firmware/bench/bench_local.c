// SPDX-License-Identifier: MIT
// Primitives that begin and end in the bench task, without a switch. Every one is proven by what it
// returns and by the state it leaves: a count, a message, a bit, the heap's free bytes.
#include "bench.h"
#include "bench_rows.h"
#include "kernel_compat.h"

#include <string.h>

enum { MESSAGE_MAX = 64, COUNT_MAX = 4, EVENT_BIT = 1 };

// ---- scheduler ---------------------------------------------------------------------------------

const char *bench_run_critical(uint32_t n, int32_t arg)
{
    (void)arg;
    uint32_t masked = 0;
    BENCH_LOOP(n, (void)0, taskENTER_CRITICAL();
               taskEXIT_CRITICAL(), (__extension__({
                   __asm volatile("mrs %0, basepri" : "=r"(masked));
                   masked == 0u;
               })),
               "interrupts stayed masked");
    return NULL;
}

const char *bench_run_suspendall(uint32_t n, int32_t arg)
{
    (void)arg;
    BENCH_LOOP(n, (void)0, vTaskSuspendAll(); (void)xTaskResumeAll(),
                                              xTaskGetSchedulerState() == taskSCHEDULER_RUNNING,
                                              "the scheduler stayed suspended");
    return NULL;
}

// ---- notifications -----------------------------------------------------------------------------

const char *bench_run_notify_give(uint32_t n, int32_t arg)
{
    (void)arg;
    TaskHandle_t self = xTaskGetCurrentTaskHandle();
    BENCH_LOOP(n, (void)0, (void)xTaskNotifyGive(self), ulTaskNotifyTake(pdTRUE, 0) == 1u,
               "not one notification was there");
    return NULL;
}

const char *bench_run_notify_take(uint32_t n, int32_t arg)
{
    (void)arg;
    TaskHandle_t self = xTaskGetCurrentTaskHandle();
    uint32_t taken = 0;
    BENCH_LOOP(n, (void)xTaskNotifyGive(self), taken = ulTaskNotifyTake(pdTRUE, 0), taken == 1u,
               "not one notification was taken");
    return NULL;
}

// ---- queues ------------------------------------------------------------------------------------

bool bench_takes_message(int32_t arg)
{
    return arg == 4 || arg == 16 || arg == 64;
}

static uint8_t s_out[MESSAGE_MAX];
static uint8_t s_in[MESSAGE_MAX];

static QueueHandle_t local_queue_create(int32_t bytes)
{
    static StaticQueue_t s_memory;
    static uint8_t s_storage[MESSAGE_MAX];
    return xQueueCreateStatic(1, (UBaseType_t)bytes, s_storage, &s_memory);
}

// A message that differs from the one before in every byte.
static void local_make_message(uint32_t index)
{
    for (size_t i = 0; i < MESSAGE_MAX; i++) {
        s_out[i] = (uint8_t)(index * 37u + i * 11u + 1u);
    }
}

const char *bench_run_queue_send(uint32_t n, int32_t arg)
{
    QueueHandle_t queue = local_queue_create(arg);
    BaseType_t sent = pdFAIL;
    BENCH_LOOP(n, local_make_message(i), sent = xQueueSend(queue, s_out, 0),
               sent == pdPASS && xQueueReceive(queue, s_in, 0) == pdPASS &&
                   memcmp(s_in, s_out, (size_t)arg) == 0,
               "the message sent did not come out");
    return NULL;
}

static void local_send(QueueHandle_t queue, uint32_t index)
{
    local_make_message(index);
    (void)xQueueSend(queue, s_out, 0);
}

const char *bench_run_queue_recv(uint32_t n, int32_t arg)
{
    QueueHandle_t queue = local_queue_create(arg);
    BaseType_t got = pdFAIL;
    BENCH_LOOP(n, local_send(queue, i), got = xQueueReceive(queue, s_in, 0),
               got == pdPASS && memcmp(s_in, s_out, (size_t)arg) == 0 &&
                   uxQueueMessagesWaiting(queue) == 0u,
               "the message received is not the one sent");
    return NULL;
}

// ---- semaphores and mutexes --------------------------------------------------------------------

static StaticSemaphore_t s_semaphore_memory;

// Measures the give; the take after it must find exactly one.
static const char *local_run_give(SemaphoreHandle_t semaphore, uint32_t n)
{
    BaseType_t given = pdFAIL;
    BENCH_LOOP(n, (void)0, given = xSemaphoreGive(semaphore),
               given == pdPASS && xSemaphoreTake(semaphore, 0) == pdPASS &&
                   uxQueueMessagesWaiting(semaphore) == 0u,
               "the give did not count one");
    return NULL;
}

static const char *local_run_take(SemaphoreHandle_t semaphore, uint32_t n)
{
    BaseType_t taken = pdFAIL;
    BENCH_LOOP(n, (void)xSemaphoreGive(semaphore), taken = xSemaphoreTake(semaphore, 0),
               taken == pdPASS && uxQueueMessagesWaiting(semaphore) == 0u,
               "the take did not take one");
    return NULL;
}

const char *bench_run_binary_give(uint32_t n, int32_t arg)
{
    (void)arg;
    return local_run_give(xSemaphoreCreateBinaryStatic(&s_semaphore_memory), n);
}

const char *bench_run_binary_take(uint32_t n, int32_t arg)
{
    (void)arg;
    return local_run_take(xSemaphoreCreateBinaryStatic(&s_semaphore_memory), n);
}

#if KERNEL_HAS_COUNTING_SEMAPHORES
const char *bench_run_counting_give(uint32_t n, int32_t arg)
{
    (void)arg;
    return local_run_give(xSemaphoreCreateCountingStatic(COUNT_MAX, 0, &s_semaphore_memory), n);
}

const char *bench_run_counting_take(uint32_t n, int32_t arg)
{
    (void)arg;
    return local_run_take(xSemaphoreCreateCountingStatic(COUNT_MAX, 0, &s_semaphore_memory), n);
}
#endif

#if KERNEL_HAS_MUTEXES
static bool local_holds(SemaphoreHandle_t mutex)
{
    return uxQueueMessagesWaiting(mutex) == 0u;
}

const char *bench_run_mutex_lock(uint32_t n, int32_t arg)
{
    (void)arg;
    SemaphoreHandle_t mutex = xSemaphoreCreateMutexStatic(&s_semaphore_memory);
    BaseType_t done = pdFAIL;
    BENCH_LOOP(n, (void)0, done = xSemaphoreTake(mutex, 0),
               done == pdPASS && local_holds(mutex) && xSemaphoreGive(mutex) == pdPASS,
               "the mutex was not locked");
    return NULL;
}

const char *bench_run_mutex_unlock(uint32_t n, int32_t arg)
{
    (void)arg;
    SemaphoreHandle_t mutex = xSemaphoreCreateMutexStatic(&s_semaphore_memory);
    BaseType_t done = pdFAIL;
    BENCH_LOOP(n, (void)xSemaphoreTake(mutex, 0), done = xSemaphoreGive(mutex),
               done == pdPASS && !local_holds(mutex), "the mutex was not unlocked");
    return NULL;
}
#endif

// ---- event groups ------------------------------------------------------------------------------

#if KERNEL_HAS_EVENT_GROUPS
const char *bench_run_event_set(uint32_t n, int32_t arg)
{
    (void)arg;
    static StaticEventGroup_t s_memory;
    EventGroupHandle_t group = xEventGroupCreateStatic(&s_memory);
    BENCH_LOOP(n, (void)0, (void)xEventGroupSetBits(group, EVENT_BIT),
               xEventGroupClearBits(group, EVENT_BIT) == EVENT_BIT, "the bit was not set");
    return NULL;
}
#endif

// ---- heap --------------------------------------------------------------------------------------

bool bench_takes_block(int32_t arg)
{
    return arg == 16 || arg == 128 || arg == 1024;
}

#if KERNEL_HAS_DYNAMIC_ALLOCATION
// The block is there if the heap lost at least its size, and gone if the heap is as before; where a
// scheme does not tell what is free, if it keeps what is written to it.
static bool local_block_is_there(uint8_t *block, size_t bytes, size_t before)
{
    if (block == NULL) {
        return false;
    }
    memset(block, 0x5A, bytes);
    return !KERNEL_HAS_HEAP_FREE_SIZE || kernel_heap_free_bytes() + bytes <= before;
}

const char *bench_run_heap_alloc(uint32_t n, int32_t arg)
{
    void *block = NULL;
    size_t before = kernel_heap_free_bytes();
    BENCH_LOOP(n, kernel_heap_give_back(block), block = pvPortMalloc((size_t)arg),
               local_block_is_there(block, (size_t)arg, before),
               "the heap gave no block of that size");
    kernel_heap_give_back(block);
    return kernel_heap_free_bytes() == before ? NULL : "the heap did not get its blocks back";
}
#endif

#if KERNEL_HAS_HEAP_FREE
const char *bench_run_heap_free(uint32_t n, int32_t arg)
{
    void *block = NULL;
    size_t before = kernel_heap_free_bytes();
    BENCH_LOOP(n, block = pvPortMalloc((size_t)arg), vPortFree(block),
               block != NULL && kernel_heap_free_bytes() == before,
               "the heap did not get its block back");
    return NULL;
}
#endif
