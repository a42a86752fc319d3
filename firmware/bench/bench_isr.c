// SPDX-License-Identifier: MIT
// Interrupt to task: a software-pended interrupt wakes the peer by a notification, a semaphore, a
// queue, an event group or a stream buffer. The sample begins before the interrupt is pended and
// ends in the task.
#include "bench.h"
#include "bench_rows.h"
#include "platform.h"
#include "tasks.h"

static SemaphoreHandle_t s_semaphore;
static QueueHandle_t s_queue;
static volatile uint32_t s_interrupts;
static volatile uint32_t s_woken; // samples the peer ended after a good wake-up

static void isr_notify(void)
{
    BaseType_t woken = pdFALSE;
    s_interrupts++;
    vTaskNotifyGiveFromISR(tasks_handle(TASK_BENCH_PEER), &woken);
    portYIELD_FROM_ISR(woken);
}

static void isr_sem(void)
{
    BaseType_t woken = pdFALSE;
    s_interrupts++;
    (void)xSemaphoreGiveFromISR(s_semaphore, &woken);
    portYIELD_FROM_ISR(woken);
}

static void isr_queue(void)
{
    BaseType_t woken = pdFALSE;
    uint32_t message = ++s_interrupts;
    (void)xQueueSendFromISR(s_queue, &message, &woken);
    portYIELD_FROM_ISR(woken);
}

#if KERNEL_HAS_EVENT_GROUPS_FROM_ISR
enum { EVENT_BIT = 1 };

static EventGroupHandle_t s_group;

// Done in the timer task, which is above the peer: an event group may wake any number of tasks.
static void isr_event(void)
{
    BaseType_t woken = pdFALSE;
    s_interrupts++;
    (void)xEventGroupSetBitsFromISR(s_group, EVENT_BIT, &woken);
    portYIELD_FROM_ISR(woken);
}
#endif

static void isr_start(void)
{
    s_interrupts = 0;
    s_woken = 0;
}

void bench_peer_isr_notify(uint32_t n)
{
    uint32_t value = 0;
    isr_start();
    BENCH_WOKEN(n, value = ulTaskNotifyTake(pdTRUE, portMAX_DELAY),
                value == 1u && s_interrupts == i + 1u, s_woken);
}

void bench_peer_isr_sem(uint32_t n)
{
    static StaticSemaphore_t s_memory;
    BaseType_t taken = pdFAIL;
    s_semaphore = xSemaphoreCreateBinaryStatic(&s_memory);
    isr_start();
    BENCH_WOKEN(n, taken = xSemaphoreTake(s_semaphore, portMAX_DELAY),
                taken == pdPASS && s_interrupts == i + 1u, s_woken);
}

void bench_peer_isr_queue(uint32_t n)
{
    static StaticQueue_t s_memory;
    static uint8_t s_storage[sizeof(uint32_t)];
    uint32_t message = 0;
    s_queue = xQueueCreateStatic(1, sizeof message, s_storage, &s_memory);
    BaseType_t got = pdFAIL;
    isr_start();
    BENCH_WOKEN(n, got = xQueueReceive(s_queue, &message, portMAX_DELAY),
                got == pdPASS && message == i + 1u && s_interrupts == i + 1u, s_woken);
}

#if KERNEL_HAS_EVENT_GROUPS_FROM_ISR
void bench_peer_isr_event(uint32_t n)
{
    static StaticEventGroup_t s_memory;
    s_group = xEventGroupCreateStatic(&s_memory);
    EventBits_t bits = 0;
    isr_start();
    BENCH_WOKEN(n, bits = xEventGroupWaitBits(s_group, EVENT_BIT, pdTRUE, pdTRUE, portMAX_DELAY),
                bits == EVENT_BIT && s_interrupts == i + 1u, s_woken);
}
#endif

#if KERNEL_HAS_STREAM_BUFFERS
static StreamBufferHandle_t s_stream;

static void isr_stream(void)
{
    BaseType_t woken = pdFALSE;
    uint8_t byte = (uint8_t)++s_interrupts;
    (void)xStreamBufferSendFromISR(s_stream, &byte, sizeof byte, &woken);
    portYIELD_FROM_ISR(woken);
}

void bench_peer_isr_stream(uint32_t n)
{
    enum { BYTES = 4, TRIGGER = 1 };
    static StaticStreamBuffer_t s_memory;
    static uint8_t s_storage[BYTES + 1];
    uint8_t byte = 0;
    s_stream = xStreamBufferCreateStatic(BYTES, TRIGGER, s_storage, &s_memory);
    size_t got = 0;
    isr_start();
    BENCH_WOKEN(n, got = xStreamBufferReceive(s_stream, &byte, sizeof byte, portMAX_DELAY),
                got == 1u && byte == (uint8_t)(i + 1u) && s_interrupts == i + 1u, s_woken);
}
#endif

// The peer is above the bench task: it must have run when the pending store's barrier is passed.
static const char *isr_run(uint32_t n, void (*isr)(void))
{
    const volatile uint32_t *counter = bench_counter();
    volatile bench_probe_t *probe = bench_probe();
    bench_set_isr(isr);
    for (uint32_t i = 0; i <= n; i++) {
        BENCH_BEGIN(counter, probe);
        platform_bench_irq_pend();
        if (s_woken != i + 1u) {
            return "the interrupt did not wake the task, or not once";
        }
        bench_keep(i);
    }
    return s_interrupts == n + 1u ? NULL : "interrupts were lost or doubled";
}

const char *bench_run_isr_notify(uint32_t n, int32_t arg)
{
    (void)arg;
    return isr_run(n, isr_notify);
}

const char *bench_run_isr_sem(uint32_t n, int32_t arg)
{
    (void)arg;
    return isr_run(n, isr_sem);
}

const char *bench_run_isr_queue(uint32_t n, int32_t arg)
{
    (void)arg;
    return isr_run(n, isr_queue);
}

#if KERNEL_HAS_EVENT_GROUPS_FROM_ISR
const char *bench_run_isr_event(uint32_t n, int32_t arg)
{
    (void)arg;
    return isr_run(n, isr_event);
}
#endif

#if KERNEL_HAS_STREAM_BUFFERS
const char *bench_run_isr_stream(uint32_t n, int32_t arg)
{
    (void)arg;
    return isr_run(n, isr_stream);
}
#endif

// The handler itself: no task is woken.
static void isr_end_here(void)
{
    BENCH_END(bench_counter(), bench_probe());
    s_interrupts++;
}

static void isr_begin_here(void)
{
    s_interrupts++;
    BENCH_BEGIN(bench_counter(), bench_probe());
}

const char *bench_run_isr_entry(uint32_t n, int32_t arg)
{
    (void)arg;
    const volatile uint32_t *counter = bench_counter();
    volatile bench_probe_t *probe = bench_probe();
    isr_start();
    bench_set_isr(isr_end_here);
    for (uint32_t i = 0; i <= n; i++) {
        BENCH_BEGIN(counter, probe);
        platform_bench_irq_pend();
        if (s_interrupts != i + 1u) {
            return "the interrupt was not taken at once";
        }
        bench_keep(i);
    }
    return NULL;
}

const char *bench_run_isr_exit(uint32_t n, int32_t arg)
{
    (void)arg;
    isr_start();
    bench_set_isr(isr_begin_here);
    const volatile uint32_t *counter = bench_counter();
    volatile bench_probe_t *probe = bench_probe();
    for (uint32_t i = 0; i <= n; i++) {
        platform_bench_irq_pend();
        BENCH_END(counter, probe);
        if (s_interrupts != i + 1u) {
            return "the interrupt was not taken at once";
        }
        bench_keep(i);
    }
    return NULL;
}
