// SPDX-License-Identifier: MIT
// Queue sets: a higher task waits for any of two queues.
#include "bench.h"
#include "bench_helpers.h"
#include "bench_rows.h"

// Until V11.2 the kernel makes a set on its heap only.
#if KERNEL_HAS_QUEUE_SETS && (KERNEL_HAS_HEAP_FREE || KERNEL_HAS_STATIC_QUEUE_SETS)

enum { MEMBERS = 2 };

static QueueSetHandle_t s_set;
static QueueHandle_t s_members[MEMBERS];
static volatile uint32_t s_woken;

static QueueSetHandle_t set_create(void)
{
    #if KERNEL_HAS_STATIC_QUEUE_SETS
    static StaticQueue_t s_memory;
    static uint8_t s_storage[MEMBERS * sizeof(QueueSetMemberHandle_t)];
    return xQueueCreateSetStatic(MEMBERS, s_storage, &s_memory);
    #else
    return xQueueCreateSet(MEMBERS);
    #endif
}

static bool set_build(void)
{
    static StaticQueue_t s_memory[MEMBERS];
    static uint8_t s_storage[MEMBERS][sizeof(uint32_t)];
    s_set = set_create();
    bool good = s_set != NULL;
    for (uint32_t i = 0; i < MEMBERS && good; i++) {
        s_members[i] = xQueueCreateStatic(1, sizeof(uint32_t), s_storage[i], &s_memory[i]);
        good = xQueueAddToSet(s_members[i], s_set) == pdPASS;
    }
    return good;
}

static uint32_t set_pattern(uint32_t index)
{
    return index * 0x85EBCA6Bu + 0xC2B2AE35u;
}

// The set must name the very queue that has the message, and that queue must give it.
static bool set_gave(QueueSetMemberHandle_t selected, uint32_t index)
{
    uint32_t message = 0;
    QueueHandle_t expected = s_members[index % MEMBERS];
    return selected == expected && xQueueReceive(expected, &message, 0) == pdPASS &&
           message == set_pattern(index);
}

static void set_helper(void *unused)
{
    (void)unused;
    QueueSetMemberHandle_t selected = NULL;
    QueueSetHandle_t set = s_set;
    BENCH_WOKEN(BENCH_FOR_EVER, selected = xQueueSelectFromSet(set, portMAX_DELAY),
                set_gave(selected, i), s_woken);
}

static const char *set_run(uint32_t n)
{
    QueueHandle_t queue = NULL;
    uint32_t message = 0;
    BaseType_t sent = pdFAIL;
    BENCH_WAKE(n, queue = s_members[i % MEMBERS];
               message = set_pattern(i), sent = xQueueSend(queue, &message, 0),
               sent == pdPASS && s_woken == i + 1u,
               "the waiting task was not given the queue and its message before the send returned");
    return NULL;
}

const char *bench_run_queue_set(uint32_t n, int32_t arg)
{
    (void)arg;
    size_t before = kernel_heap_free_bytes();
    const char *fault = "no queue set could be made";
    s_woken = 0;
    if (set_build()) {
        (void)bench_helper_start(set_helper, BENCH_HELPER_ABOVE);
        fault = set_run(n);
        bench_helpers_stop();
    }
    if (s_set != NULL) {
        vQueueDelete(s_set);
    }
    return fault != NULL || kernel_heap_free_bytes() == before ? fault : "the set's memory is lost";
}

#endif
