// SPDX-License-Identifier: MIT
// Metrics of interrupts: one that gives a semaphore, and one that resumes a higher task.
#include "bench_helpers.h"
#include "metric.h"
#include "metric_rows.h"

#include "bench.h"
#include "platform.h"

enum { LOW = 1, HIGH = 2 };

static volatile uint32_t s_interrupts;
static volatile uint32_t s_low;
static volatile uint32_t s_high;
static volatile uint32_t s_lost; // rounds whose interrupt did not do its part in time

static void isr_clear(void)
{
    s_interrupts = 0;
    s_low = 0;
    s_high = 0;
    s_lost = 0;
}

// ---- interrupt ----------------------------------------------------------------------------------

static SemaphoreHandle_t s_semaphore;

static void isr_give(void)
{
    BaseType_t woken = pdFALSE;
    (void)xSemaphoreGiveFromISR(s_semaphore, &woken);
    s_interrupts++;
    portYIELD_FROM_ISR(woken);
}

static void interrupt_task(void *unused)
{
    (void)unused;
    while (!g_metric_stop) {
        platform_bench_irq_pend();
        if (xSemaphoreTake(s_semaphore, 0) != pdPASS) {
            s_lost++;
        }
        s_low++;
    }
    metric_task_done();
}

const char *metric_start_interrupt(void)
{
    static StaticSemaphore_t s_memory;
    isr_clear();
    s_semaphore = xSemaphoreCreateBinaryStatic(&s_memory);
    bench_set_isr(isr_give);
    (void)bench_helper_start(interrupt_task, LOW);
    return NULL;
}

uint32_t metric_count_interrupt(void)
{
    return s_interrupts + s_low;
}

const char *metric_check_interrupt(uint32_t tick_count)
{
    (void)tick_count;
    return s_lost == 0u && s_interrupts == s_low ? NULL : "an interrupt's semaphore was not there";
}

// ---- interrupt preemption -----------------------------------------------------------------------

static void isr_resume(void)
{
    s_interrupts++;
    BaseType_t woken = xTaskResumeFromISR(bench_helper(1));
    portYIELD_FROM_ISR(woken);
}

static void preempted_task(void *unused)
{
    (void)unused;
    while (!g_metric_stop) {
        platform_bench_irq_pend();
        s_low++;
        if (s_high != s_low) {
            s_lost++;
        }
    }
    metric_task_done();
}

static void preempting_task(void *unused)
{
    (void)unused;
    for (;;) {
        vTaskSuspend(NULL);
        s_high++;
    }
}

const char *metric_start_interrupt_preemption(void)
{
    isr_clear();
    bench_set_isr(isr_resume);
    (void)bench_helper_start(preempted_task, LOW);
    (void)bench_helper_start(preempting_task, HIGH);
    return NULL;
}

uint32_t metric_count_interrupt_preemption(void)
{
    return s_interrupts + s_low + s_high;
}

const char *metric_check_interrupt_preemption(uint32_t tick_count)
{
    (void)tick_count;
    bool agree = s_interrupts == s_low && s_high == s_low;
    return s_lost == 0u && agree ? NULL : "an interrupt did not preempt at once, or not once";
}
