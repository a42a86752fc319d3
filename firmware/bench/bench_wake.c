// SPDX-License-Identifier: MIT
// Primitives by which the bench task wakes the higher peer: the sample begins before the call and
// ends when the peer runs, which must be before the call returns.
#include "bench.h"
#include "bench_rows.h"
#include "tasks.h"

static SemaphoreHandle_t s_semaphore;
static volatile uint32_t s_woken;

// The peer's loop: `wait` blocks and leaves whether the wake-up was good.
#define WAKE_PEER(n, wait)                                                                         \
    do {                                                                                           \
        const volatile uint32_t *counter = bench_counter();                                        \
        volatile bench_probe_t *probe = bench_probe();                                             \
        s_woken = 0;                                                                               \
        for (uint32_t i = 0; i <= (n); i++) {                                                      \
            bool good;                                                                             \
            wait;                                                                                  \
            BENCH_END(counter, probe);                                                             \
            s_woken += good ? 1u : 0u;                                                             \
        }                                                                                          \
    } while (0)

// The bench task's loop: `wake` is the measured primitive.
#define WAKE_RUN(n, wake)                                                                          \
    do {                                                                                           \
        const volatile uint32_t *counter = bench_counter();                                        \
        volatile bench_probe_t *probe = bench_probe();                                             \
        for (uint32_t i = 0; i <= (n); i++) {                                                      \
            BENCH_BEGIN(counter, probe);                                                           \
            wake;                                                                                  \
            if (s_woken != i + 1u) {                                                               \
                return "the higher task did not run before the call returned";                     \
            }                                                                                      \
            bench_keep(i);                                                                         \
        }                                                                                          \
    } while (0)

void bench_peer_wake_notify(uint32_t n)
{
    WAKE_PEER(n, good = ulTaskNotifyTake(pdTRUE, portMAX_DELAY) == 1u);
}

const char *bench_run_wake_notify(uint32_t n, int32_t arg)
{
    (void)arg;
    TaskHandle_t peer = tasks_handle(TASK_BENCH_PEER);
    WAKE_RUN(n, (void)xTaskNotifyGive(peer));
    return NULL;
}

void bench_peer_wake_sem(uint32_t n)
{
    static StaticSemaphore_t s_memory;
    s_semaphore = xSemaphoreCreateBinaryStatic(&s_memory);
    WAKE_PEER(n, good = xSemaphoreTake(s_semaphore, portMAX_DELAY) == pdPASS);
}

const char *bench_run_wake_sem(uint32_t n, int32_t arg)
{
    (void)arg;
    SemaphoreHandle_t semaphore = s_semaphore;
    WAKE_RUN(n, (void)xSemaphoreGive(semaphore));
    return NULL;
}

#if KERNEL_HAS_EVENT_GROUPS
enum { EVENT_BIT = 1 };

static EventGroupHandle_t s_group;

void bench_peer_wake_event(uint32_t n)
{
    static StaticEventGroup_t s_memory;
    s_group = xEventGroupCreateStatic(&s_memory);
    WAKE_PEER(n, good = (xEventGroupWaitBits(s_group, EVENT_BIT, pdTRUE, pdTRUE, portMAX_DELAY) &
                         EVENT_BIT) != 0u);
}

const char *bench_run_wake_event(uint32_t n, int32_t arg)
{
    (void)arg;
    EventGroupHandle_t group = s_group;
    WAKE_RUN(n, (void)xEventGroupSetBits(group, EVENT_BIT));
    return NULL;
}
#endif

void bench_peer_wake_resume(uint32_t n)
{
    WAKE_PEER(n, vTaskSuspend(NULL); good = true);
}

const char *bench_run_wake_resume(uint32_t n, int32_t arg)
{
    (void)arg;
    TaskHandle_t peer = tasks_handle(TASK_BENCH_PEER);
    WAKE_RUN(n, vTaskResume(peer));
    return NULL;
}
