// SPDX-License-Identifier: MIT
// The calls of bench_calls.h, none of which switches to another task for good.
#include "bench_calls.h"

#include "bench_rows.h"
#include "kernel_compat.h"

enum { EVENT_BIT = 1, BLOCK_BYTES = 64 };

static QueueHandle_t s_queue;
static SemaphoreHandle_t s_semaphore;
static SemaphoreHandle_t s_mutex;
static EventGroupHandle_t s_group;
static TimerHandle_t s_timer;
static void *s_block;
static uint32_t s_message;

static void no_callback(TimerHandle_t timer)
{
    (void)timer;
}

void bench_calls_prepare(void)
{
    static StaticQueue_t s_queue_memory;
    static StaticSemaphore_t s_semaphore_memory;
    static StaticSemaphore_t s_mutex_memory;
    static StaticEventGroup_t s_group_memory;
    static StaticTimer_t s_timer_memory;
    static uint8_t s_storage[sizeof(uint32_t)];
    s_queue = xQueueCreateStatic(1, sizeof(uint32_t), s_storage, &s_queue_memory);
    s_semaphore = xSemaphoreCreateBinaryStatic(&s_semaphore_memory);
    s_mutex = xSemaphoreCreateMutexStatic(&s_mutex_memory);
    s_group = xEventGroupCreateStatic(&s_group_memory);
    s_timer = xTimerCreateStatic("bench", configTICK_RATE_HZ, pdFALSE, NULL, no_callback,
                                 &s_timer_memory);
}

void bench_calls_end(void)
{
    (void)xTimerDelete(s_timer, 0);
}

static void call_yield(void)
{
    taskYIELD();
}

static bool undo_nothing(void)
{
    return true;
}

static void call_notify(void)
{
    (void)xTaskNotifyGive(xTaskGetCurrentTaskHandle());
}

static bool undo_notify(void)
{
    return ulTaskNotifyTake(pdTRUE, 0) == 1u;
}

static void call_send(void)
{
    uint32_t message = ++s_message;
    (void)xQueueSend(s_queue, &message, 0);
}

static bool undo_send(void)
{
    uint32_t message;
    return xQueueReceive(s_queue, &message, 0) == pdPASS && message == s_message;
}

static void call_give(void)
{
    (void)xSemaphoreGive(s_semaphore);
}

static bool undo_give(void)
{
    return xSemaphoreTake(s_semaphore, 0) == pdPASS;
}

static void call_lock(void)
{
    (void)xSemaphoreTake(s_mutex, 0);
}

static bool undo_lock(void)
{
    return xSemaphoreGive(s_mutex) == pdPASS;
}

static void call_set_bit(void)
{
    (void)xEventGroupSetBits(s_group, EVENT_BIT);
}

static bool undo_set_bit(void)
{
    return xEventGroupClearBits(s_group, EVENT_BIT) == EVENT_BIT;
}

static void call_start_timer(void)
{
    (void)xTimerStart(s_timer, 0);
}

static bool undo_start_timer(void)
{
    bool started = xTimerIsTimerActive(s_timer) != pdFALSE;
    return xTimerStop(s_timer, 0) == pdPASS && started;
}

static void call_malloc(void)
{
    s_block = pvPortMalloc(BLOCK_BYTES);
}

static bool undo_malloc(void)
{
    bool given = s_block != NULL;
    vPortFree(s_block);
    return given;
}

static const bench_call_t s_calls[] = {
    {call_yield, undo_nothing},
    {call_notify, undo_notify},
    {call_send, undo_send},
    {call_give, undo_give},
    {call_lock, undo_lock},
    {call_set_bit, undo_set_bit},
    {call_start_timer, undo_start_timer},
    {call_malloc, undo_malloc},
};

enum { CALLS = sizeof s_calls / sizeof s_calls[0] };

const bench_call_t *bench_call(uint32_t index)
{
    return &s_calls[index % CALLS];
}

bool bench_takes_call(int32_t arg)
{
    return arg >= 1 && arg <= CALLS;
}
