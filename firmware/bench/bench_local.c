// SPDX-License-Identifier: MIT
// Primitives that begin and end in the bench task, without a switch. Every one is proven by what it
// returns and by the state it leaves: a count, a message, an interrupt that came late.
#include "bench.h"
#include "bench_rows.h"
#include "kernel_compat.h"
#include "platform.h"

#include <string.h>

enum { MESSAGE_MAX = 64, COUNT_MAX = 4 };

// ---- critical sections -------------------------------------------------------------------------

static volatile uint32_t s_interrupts;

static void local_isr(void)
{
    s_interrupts++;
}

// The kernel's interrupts are held back inside, and come right behind.
static bool local_critical_masks(void)
{
    s_interrupts = 0;
    bench_set_isr(local_isr);
    taskENTER_CRITICAL();
    platform_bench_irq_pend();
    uint32_t early = s_interrupts;
    taskEXIT_CRITICAL();
    __asm volatile("isb" ::: "memory");
    return early == 0u && s_interrupts == 1u;
}

static bool local_is_unmasked(void)
{
    uint32_t masked = 0;
    __asm volatile("mrs %0, basepri" : "=r"(masked));
    return masked == 0u;
}

const char *bench_run_critical(uint32_t n, int32_t arg)
{
    (void)arg;
    if (!local_critical_masks()) {
        return "an interrupt came inside the critical section, or did not come behind it";
    }
    BENCH_LOOP(n, (void)0, taskENTER_CRITICAL();
               taskEXIT_CRITICAL(), local_is_unmasked(), "interrupts stayed masked");
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

#if KERNEL_HAS_INDEXED_NOTIFICATIONS

// Indices 0 and 1: the two that the configuration always has where it has more than one.
bool bench_takes_index(int32_t arg)
{
    return arg == 0 || arg == 1;
}

// Exactly one is there at `index`, none at the other one.
static bool local_given_at(UBaseType_t index)
{
    uint32_t other = ulTaskNotifyTakeIndexed(1u - index, pdTRUE, 0);
    return ulTaskNotifyTakeIndexed(index, pdTRUE, 0) == 1u && other == 0u;
}

const char *bench_run_indexed_give(uint32_t n, int32_t arg)
{
    TaskHandle_t self = xTaskGetCurrentTaskHandle();
    UBaseType_t index = (UBaseType_t)arg;
    BENCH_LOOP(n, (void)0, (void)xTaskNotifyGiveIndexed(self, index), local_given_at(index),
               "not one notification was there, or one at the other index");
    return NULL;
}

const char *bench_run_indexed_take(uint32_t n, int32_t arg)
{
    TaskHandle_t self = xTaskGetCurrentTaskHandle();
    UBaseType_t index = (UBaseType_t)arg;
    uint32_t taken = 0;
    BENCH_LOOP(n, (void)xTaskNotifyGiveIndexed(self, index);
               (void)xTaskNotifyGiveIndexed(self, 1u - index),
               taken = ulTaskNotifyTakeIndexed(index, pdTRUE, 0),
               taken == 1u && local_given_at(1u - index),
               "not one notification was taken, or one at the other index too");
    return NULL;
}

#endif

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

// ---- semaphores --------------------------------------------------------------------------------

static StaticSemaphore_t s_semaphore_memory;

// It counts to `most` and not further: checked before the samples, left at none.
static bool local_counts_to(SemaphoreHandle_t semaphore, uint32_t most)
{
    bool good = uxQueueMessagesWaiting(semaphore) == 0u;
    for (uint32_t i = 0; i < most; i++) {
        good = xSemaphoreGive(semaphore) == pdPASS && good;
    }
    good = xSemaphoreGive(semaphore) == pdFAIL && good;
    for (uint32_t i = 0; i < most; i++) {
        good = xSemaphoreTake(semaphore, 0) == pdPASS && good;
    }
    return xSemaphoreTake(semaphore, 0) == pdFAIL && good;
}

// Measures the give; the take after it must find exactly one.
static const char *local_run_give(SemaphoreHandle_t semaphore, uint32_t most, uint32_t n)
{
    BaseType_t given = pdFAIL;
    if (!local_counts_to(semaphore, most)) {
        return "the semaphore does not count to its maximum, or counts further";
    }
    BENCH_LOOP(n, (void)0, given = xSemaphoreGive(semaphore),
               given == pdPASS && xSemaphoreTake(semaphore, 0) == pdPASS &&
                   uxQueueMessagesWaiting(semaphore) == 0u,
               "the give did not count one");
    return NULL;
}

static const char *local_run_take(SemaphoreHandle_t semaphore, uint32_t most, uint32_t n)
{
    BaseType_t taken = pdFAIL;
    if (!local_counts_to(semaphore, most)) {
        return "the semaphore does not count to its maximum, or counts further";
    }
    BENCH_LOOP(n, (void)xSemaphoreGive(semaphore), taken = xSemaphoreTake(semaphore, 0),
               taken == pdPASS && uxQueueMessagesWaiting(semaphore) == 0u,
               "the take did not take one");
    return NULL;
}

const char *bench_run_binary_give(uint32_t n, int32_t arg)
{
    (void)arg;
    return local_run_give(xSemaphoreCreateBinaryStatic(&s_semaphore_memory), 1, n);
}

const char *bench_run_binary_take(uint32_t n, int32_t arg)
{
    (void)arg;
    return local_run_take(xSemaphoreCreateBinaryStatic(&s_semaphore_memory), 1, n);
}

#if KERNEL_HAS_COUNTING_SEMAPHORES

static SemaphoreHandle_t local_counting_create(void)
{
    return xSemaphoreCreateCountingStatic(COUNT_MAX, 0, &s_semaphore_memory);
}

const char *bench_run_counting_give(uint32_t n, int32_t arg)
{
    (void)arg;
    return local_run_give(local_counting_create(), COUNT_MAX, n);
}

const char *bench_run_counting_take(uint32_t n, int32_t arg)
{
    (void)arg;
    return local_run_take(local_counting_create(), COUNT_MAX, n);
}

#endif
