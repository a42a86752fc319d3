// SPDX-License-Identifier: MIT
#include "lwip_task.h"

#include "crash.h"
#include "kernel_compat.h"
#include "net_task.h"
#include "platform.h"

#include "lwip/init.h"
#include "lwip/timeouts.h"

#if !KERNEL_HAS_MUTEXES
    #error "configUSE_MUTEXES is 0: TCP/IP is shared by tasks, it must be 1 (or RIG_NETWORK OFF)"
#endif

enum { STACK_WORDS = 1024 };

static StackType_t s_stack[STACK_WORDS] NET_UNINITIALISED;
static StaticTask_t s_block;
static StaticSemaphore_t s_lock_block;
static SemaphoreHandle_t s_lock;
static TaskHandle_t s_task;
static bool (*s_poll)(void);
static TickType_t s_wake; // when the task will look at its timers by itself

static TickType_t lwip_next_timer(void)
{
    uint32_t sleep_ms = sys_timeouts_sleeptime();
    return xTaskGetTickCount() + kernel_ms_to_ticks(sleep_ms > 60000u ? 60000u : sleep_ms);
}

void lwip_lock(void)
{
    (void)xSemaphoreTake(s_lock, portMAX_DELAY);
}

// A call of lwIP may have set a timer that is due before the task would wake. The task is told
// while the lock is held: afterwards it may be gone.
void lwip_unlock(void)
{
    if (s_task != NULL && (int32_t)(lwip_next_timer() - s_wake) < 0) {
        (void)xTaskNotifyGive(s_task);
    }
    (void)xSemaphoreGive(s_lock);
}

static void lwip_task(void *unused)
{
    (void)unused;
    for (;;) {
        lwip_lock();
        bool more = s_poll != NULL && s_poll();
        sys_check_timeouts();
        s_wake = lwip_next_timer();
        TickType_t left = s_wake - xTaskGetTickCount();
        (void)xSemaphoreGive(s_lock);
        if (more) {
            vTaskDelay(1); // frames without end must not stop tasks below this one
        } else if ((int32_t)left > 0) {
            (void)ulTaskNotifyTake(pdTRUE, left);
        }
    }
}

static const net_task_t s_facts = {.name = "net.ip",
                                   .entry = lwip_task,
                                   .priority = NET_IP_PRIORITY,
                                   .stack = s_stack,
                                   .stack_words = STACK_WORDS,
                                   .block = &s_block};

void lwip_task_set_poll(bool (*poll)(void))
{
    s_poll = poll;
    (void)xTaskNotifyGive(s_task);
}

void lwip_task_start(void)
{
    s_poll = NULL;
    if (s_lock == NULL) {
        s_lock = xSemaphoreCreateMutexStatic(&s_lock_block);
        lwip_init();
    }
    sys_restart_timeouts();
    s_wake = xTaskGetTickCount();
    s_task = net_task_make(&s_facts, NULL);
}

void lwip_task_stop(void)
{
    lwip_lock(); // so that it is not in the middle of something
    net_task_end(s_task);
    s_task = NULL;
    (void)xSemaphoreGive(s_lock);
}

void lwip_task_notify_from_isr(void)
{
    BaseType_t woken = pdFALSE;
    vTaskNotifyGiveFromISR(s_task, &woken);
    portYIELD_FROM_ISR(woken);
}

uint32_t lwip_deadline(uint32_t timeout_ms)
{
    return xTaskGetTickCount() + kernel_ms_to_ticks(timeout_ms) + (timeout_ms > 0u);
}

uint32_t lwip_ticks_left(uint32_t deadline)
{
    int32_t left = (int32_t)(deadline - xTaskGetTickCount());
    return left > 0 ? (uint32_t)left : 0u;
}

uint32_t sys_now(void)
{
    return xTaskGetTickCount() * (1000u / configTICK_RATE_HZ);
}

// xorshift32 (Marsaglia, 2003), stirred by when it is asked.
uint32_t net_random(void)
{
    static uint32_t s_state = 2463534242u;
    s_state ^= *(const volatile uint32_t *)PLATFORM_COUNTER_AT;
    s_state = s_state != 0u ? s_state : 1u;
    s_state ^= s_state << 13;
    s_state ^= s_state >> 17;
    s_state ^= s_state << 5;
    return s_state;
}
