// SPDX-License-Identifier: MIT
// The command that starts a software timer. What the timer task does with it is not measured.
#include "bench.h"
#include "bench_rows.h"
#include "tasks.h"

#if KERNEL_HAS_TIMERS

enum { FAR_TICKS = 1000000, NEAR_TICKS = 1 };

static volatile uint32_t s_expired;

static void timer_expired(TimerHandle_t timer)
{
    (void)timer;
    s_expired++;
}

static TimerHandle_t timer_create(void)
{
    static StaticTimer_t s_memory;
    s_expired = 0;
    return xTimerCreateStatic("bench", FAR_TICKS, pdFALSE, NULL, timer_expired, &s_memory);
}

// Started by the command's own time, which is the tick at which it was sent.
static bool timer_runs(TimerHandle_t timer, TickType_t sent, TickType_t now)
{
    TickType_t started = xTimerGetExpiryTime(timer) - FAR_TICKS;
    return xTimerIsTimerActive(timer) != pdFALSE && started - sent <= now - sent;
}

// Lets the timer task, which is of the highest priority, do what it was told.
static void timer_serve(void)
{
    vTaskPrioritySet(NULL, TASK_BENCH_PRIORITY);
}

static bool timer_is_stopped(TimerHandle_t timer)
{
    BaseType_t sent = xTimerStop(timer, 0);
    return sent == pdPASS && xTimerIsTimerActive(timer) == pdFALSE && s_expired == 0u;
}

// At the bench task's own priority the timer task would run inside the call; at its priority it
// does so when the sample is over.
static const char *timer_run(TimerHandle_t timer, uint32_t n)
{
    BaseType_t sent = pdFAIL;
    BENCH_LOOP(n, TickType_t at = xTaskGetTickCount();
               vTaskPrioritySet(NULL, configTIMER_TASK_PRIORITY), sent = xTimerStart(timer, 0),
               (timer_serve(), sent == pdPASS && timer_runs(timer, at, xTaskGetTickCount())) &&
                   timer_is_stopped(timer),
               "the timer did not run from then on, or did not stop");
    return NULL;
}

// A timer that was started does expire: once, and not before the samples were over.
static bool timer_expires_once(TimerHandle_t timer)
{
    bool told = xTimerChangePeriod(timer, NEAR_TICKS, 0) == pdPASS;
    vTaskDelay(3 * NEAR_TICKS);
    return told && s_expired == 1u && xTimerIsTimerActive(timer) == pdFALSE;
}

const char *bench_run_timer_start(uint32_t n, int32_t arg)
{
    (void)arg;
    TimerHandle_t timer = timer_create();
    const char *fault = timer_run(timer, n);
    timer_serve();
    if (fault == NULL && !timer_expires_once(timer)) {
        fault = "the timer did not expire once";
    }
    bool deleted = xTimerDelete(timer, 0) == pdPASS;
    return fault != NULL || deleted ? fault : "the timer could not be deleted";
}

#endif
