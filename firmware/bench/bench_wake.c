// SPDX-License-Identifier: MIT
// Notifications and semaphores by which the bench task wakes the higher peer, and a take by which
// the peer lets the bench task go on. What wakes must have woken before the call returns.
#include "bench.h"
#include "bench_rows.h"
#include "platform.h"
#include "tasks.h"

enum { COUNT_MAX = 4 };

static SemaphoreHandle_t s_semaphore;
static StaticSemaphore_t s_memory;
static volatile uint32_t s_woken;

static const char s_late[] = "the higher task did not run before the call returned, or not once";

// ---- notifications -----------------------------------------------------------------------------

void bench_peer_wake_notify(uint32_t n)
{
    uint32_t value = 0;
    s_woken = 0;
    BENCH_WOKEN(n, value = ulTaskNotifyTake(pdTRUE, portMAX_DELAY), value == 1u, s_woken);
}

const char *bench_run_wake_notify(uint32_t n, int32_t arg)
{
    (void)arg;
    TaskHandle_t peer = tasks_handle(TASK_BENCH_PEER);
    BENCH_WAKE(n, (void)0, (void)xTaskNotifyGive(peer), s_woken == i + 1u, s_late);
    return NULL;
}

// ---- semaphores: give --------------------------------------------------------------------------

static void wake_sem_peer(SemaphoreHandle_t semaphore, uint32_t n)
{
    BaseType_t taken = pdFAIL;
    s_semaphore = semaphore;
    s_woken = 0;
    BENCH_WOKEN(n, taken = xSemaphoreTake(semaphore, portMAX_DELAY), taken == pdPASS, s_woken);
}

void bench_peer_wake_sem(uint32_t n)
{
    wake_sem_peer(xSemaphoreCreateBinaryStatic(&s_memory), n);
}

const char *bench_run_wake_sem(uint32_t n, int32_t arg)
{
    (void)arg;
    SemaphoreHandle_t semaphore = s_semaphore;
    BENCH_WAKE(n, (void)0, (void)xSemaphoreGive(semaphore),
               s_woken == i + 1u && uxQueueMessagesWaiting(semaphore) == 0u, s_late);
    return NULL;
}

// ---- semaphores: a take that blocks ------------------------------------------------------------

static volatile uint32_t s_interrupts;

static void block_isr(void)
{
    BaseType_t woken = pdFALSE;
    s_interrupts++;
    (void)xSemaphoreGiveFromISR(s_semaphore, &woken);
    portYIELD_FROM_ISR(woken);
}

// The interrupt lets the peer take once, and the sample begins where it takes again and ends where
// the bench task goes on behind the pending store.
static void block_peer(SemaphoreHandle_t semaphore, uint32_t n)
{
    const volatile uint32_t *counter = bench_counter();
    volatile bench_probe_t *probe = bench_probe();
    s_semaphore = semaphore;
    s_interrupts = 0;
    s_woken = 0;
    BaseType_t taken = xSemaphoreTake(semaphore, portMAX_DELAY);
    for (uint32_t i = 0; i <= n; i++) {
        s_woken += taken == pdPASS && s_interrupts == i + 1u ? 1u : 0u;
        BENCH_BEGIN(counter, probe);
        taken = xSemaphoreTake(semaphore, portMAX_DELAY);
    }
}

void bench_peer_sem_block(uint32_t n)
{
    block_peer(xSemaphoreCreateBinaryStatic(&s_memory), n);
}

// One interrupt more than samples lets the peer out of its last take.
const char *bench_run_sem_block(uint32_t n, int32_t arg)
{
    (void)arg;
    bench_set_isr(block_isr);
    BENCH_GO_ON(n, platform_bench_irq_pend(),
                s_woken == i + 1u && uxQueueMessagesWaiting(s_semaphore) == 0u,
                "the take did not block, or the peer was not woken once");
    platform_bench_irq_pend();
    return NULL;
}

#if KERNEL_HAS_COUNTING_SEMAPHORES

void bench_peer_wake_counting(uint32_t n)
{
    wake_sem_peer(xSemaphoreCreateCountingStatic(COUNT_MAX, 0, &s_memory), n);
}

void bench_peer_counting_block(uint32_t n)
{
    block_peer(xSemaphoreCreateCountingStatic(COUNT_MAX, 0, &s_memory), n);
}

#endif
