// SPDX-License-Identifier: MIT
// The calls of bench_calls.h, none of which switches to another task for good.
#include "bench_calls.h"

#include "bench_rows.h"
#include "kernel_compat.h"

enum { EVENT_BIT = 1, BLOCK_BYTES = 64 };

static QueueHandle_t s_queue;
static SemaphoreHandle_t s_semaphore;
static uint32_t s_message;

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

// ---- calls that a kernel may lack --------------------------------------------------------------

#if KERNEL_HAS_MUTEXES
static SemaphoreHandle_t s_mutex;

static void prepare_mutex(void)
{
    static StaticSemaphore_t s_memory;
    s_mutex = xSemaphoreCreateMutexStatic(&s_memory);
}

static void call_lock(void)
{
    (void)xSemaphoreTake(s_mutex, 0);
}

static bool undo_lock(void)
{
    return xSemaphoreGive(s_mutex) == pdPASS;
}

#else
static void prepare_mutex(void)
{
}
#endif

#if KERNEL_HAS_EVENT_GROUPS
static EventGroupHandle_t s_group;

static void prepare_group(void)
{
    static StaticEventGroup_t s_memory;
    s_group = xEventGroupCreateStatic(&s_memory);
}

static void call_set_bit(void)
{
    (void)xEventGroupSetBits(s_group, EVENT_BIT);
}

static bool undo_set_bit(void)
{
    return xEventGroupClearBits(s_group, EVENT_BIT) == EVENT_BIT;
}

#else
static void prepare_group(void)
{
}
#endif

#if KERNEL_HAS_TIMERS
static TimerHandle_t s_timer;

static void no_callback(TimerHandle_t timer)
{
    (void)timer;
}

static void prepare_timer(void)
{
    static StaticTimer_t s_memory;
    s_timer =
        xTimerCreateStatic("bench", configTICK_RATE_HZ, pdFALSE, NULL, no_callback, &s_memory);
}

void bench_calls_end(void)
{
    (void)xTimerDelete(s_timer, 0);
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

#else
static void prepare_timer(void)
{
}

void bench_calls_end(void)
{
}
#endif

#if KERNEL_HAS_DYNAMIC_ALLOCATION
static void *s_block;

static void call_malloc(void)
{
    s_block = pvPortMalloc(BLOCK_BYTES);
}

static bool undo_malloc(void)
{
    bool given = s_block != NULL;
    kernel_heap_give_back(s_block);
    return given;
}
#endif

void bench_calls_prepare(void)
{
    static StaticQueue_t s_queue_memory;
    static StaticSemaphore_t s_semaphore_memory;
    static uint8_t s_storage[sizeof(uint32_t)];
    s_queue = xQueueCreateStatic(1, sizeof(uint32_t), s_storage, &s_queue_memory);
    s_semaphore = xSemaphoreCreateBinaryStatic(&s_semaphore_memory);
    prepare_mutex();
    prepare_group();
    prepare_timer();
}

enum { CALLS = 8 };

// By the number of bench.list's help, from 0; a call that the kernel lacks has no functions.
static const bench_call_t s_calls[CALLS] = {
    [0] = {call_yield, undo_nothing},
    [1] = {call_notify, undo_notify},
    [2] = {call_send, undo_send},
    [3] = {call_give, undo_give},
#if KERNEL_HAS_MUTEXES
    [4] = {call_lock, undo_lock},
#endif
#if KERNEL_HAS_EVENT_GROUPS
    [5] = {call_set_bit, undo_set_bit},
#endif
#if KERNEL_HAS_TIMERS
    [6] = {call_start_timer, undo_start_timer},
#endif
#if KERNEL_HAS_DYNAMIC_ALLOCATION
    [7] = {call_malloc, undo_malloc},
#endif
};

const bench_call_t *bench_call(uint32_t index)
{
    const bench_call_t *row = &s_calls[index % CALLS];
    return row->call != NULL ? row : NULL;
}

bool bench_takes_call(int32_t arg)
{
    return arg >= 1 && arg <= CALLS && bench_call((uint32_t)arg - 1u) != NULL;
}
