// SPDX-License-Identifier: MIT
// Runs a benchmark between quiet and sound: the bench task, its peer, sample keeping.
#include "bench.h"

#include "bench_helpers.h"
#include "platform.h"
#include "tasks.h"
#include "writer.h"

enum { OVERHEAD_PROBES = 64, QUIET_TICKS = 3 };

typedef struct {
    const bench_row_t *row;
    uint32_t n;
    int32_t arg;
    bool loaded;
} order_t;

volatile bench_probe_t g_bench_probe;

const char g_bench_only_idle[] = "this benchmark runs without load only";

static order_t s_order;
static bench_result_t s_result;
static uint32_t s_samples[BENCH_MAX_SAMPLES];
static SemaphoreHandle_t s_done;
static void (*volatile s_isr)(void);
static volatile bool s_awake;

bench_idle_t volatile g_bench_idle;

const bench_result_t *bench_last(void)
{
    return &s_result;
}

const uint32_t *bench_samples(void)
{
    return s_samples;
}

bool bench_is_loaded(void)
{
    return s_order.loaded;
}

bool bench_is_awake(void)
{
    return s_awake;
}

void bench_set_isr(void (*isr)(void))
{
    s_isr = isr;
}

void bench_set_idle(bench_idle_t idle)
{
    g_bench_idle = idle;
}

void bench_irq_handler(void)
{
    void (*isr)(void) = s_isr;
    if (isr != NULL) {
        isr();
    }
}

static void bench_keep_sample(uint32_t index, uint32_t ticks, bool hit)
{
    uint32_t sample = (ticks & ~SERIES_TICK_HIT) | (hit ? SERIES_TICK_HIT : 0u);
    if (index == 0u) {
        s_result.cold = sample;
        return;
    }
    s_samples[index - 1u] = sample;
    s_result.tick_hits += sample >> 31;
}

void bench_keep(uint32_t index)
{
    BENCH_MARK(BENCH_MARK_KEPT);
    bool hit = g_bench_probe.ticks_after != g_bench_probe.ticks_before;
    bench_keep_sample(index, g_bench_probe.end - g_bench_probe.begin, hit);
}

void bench_keep_between(uint32_t index, uint32_t begin, uint32_t end)
{
    bench_keep_sample(index, end - begin, false);
}

void bench_set_overhead(uint32_t ticks, uint32_t probes)
{
    s_result.overhead = ticks;
    s_result.overhead_n = probes;
}

// The probe around nothing; the smallest difference that no tick hit.
static void bench_measure_overhead(void)
{
    const volatile uint32_t *counter = bench_counter();
    volatile bench_probe_t *probe = bench_probe();
    uint32_t smallest = UINT32_MAX;
    uint32_t count = 0;
    for (uint32_t i = 0; i < OVERHEAD_PROBES; i++) {
        BENCH_BEGIN(counter, probe);
        BENCH_END(counter, probe);
        uint32_t cost = probe->end - probe->begin;
        if (probe->ticks_after == probe->ticks_before) {
            smallest = cost < smallest ? cost : smallest;
            count++;
        }
    }
    s_result.overhead = smallest;
    s_result.overhead_n = count;
}

// Nothing else may be ready, and the sleep must end with a tick that found the core idle: then the
// first instruction behind it stands at the same phase of the tick every time.
static void bench_align(void)
{
    vTaskDelay(QUIET_TICKS);
}

// Nothing of a benchmark outlives it, least of all of one that failed in the middle.
static void bench_clear(void)
{
    bench_set_isr(NULL);
    bench_set_idle(NULL);
    platform_alarm_stop(PLATFORM_ALARM_BENCH);
    bench_helpers_stop();
    vTaskPrioritySet(NULL, TASK_BENCH_PRIORITY);
    (void)ulTaskNotifyTake(pdTRUE, 0);
}

static const char *bench_run_aligned(const order_t *order)
{
    if (order->row->peer != NULL) {
        (void)xTaskNotifyGive(tasks_handle(TASK_BENCH_PEER)); // runs at once, until it waits
    }
    const char *fault = order->row->run(order->n, order->arg);
    bench_clear();
    if (fault != NULL && order->row->peer != NULL) {
        tasks_restart(TASK_BENCH_PEER); // it may wait for ever for what did not happen
    }
    return fault;
}

// From the tick behind the load's start on.
static const char *bench_run_loaded(const order_t *order)
{
    bench_start_load();
    vTaskDelay(1);
    const char *fault = bench_run_aligned(order);
    bench_stop_load();
    return fault;
}

static void bench_execute(const order_t *order)
{
    s_result = (bench_result_t){
        .row = order->row, .n = order->n, .arg = order->arg, .loaded = order->loaded};
    writer_hold();
    platform_uart_receive_hold(true);
    bench_make_fresh();
    bench_align();
    bench_measure_overhead();
    bench_align();
    s_awake = true;
    s_result.fault = order->loaded ? bench_run_loaded(order) : bench_run_aligned(order);
    s_awake = false;
    platform_uart_receive_hold(false);
    writer_release();
}

void bench_task(void *unused)
{
    (void)unused;
    platform_bench_irq_start();
    for (;;) {
        (void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        bench_execute(&s_order);
        (void)ulTaskNotifyTake(pdTRUE, 0); // one that a benchmark at fault left would run it again
        (void)xSemaphoreGive(s_done);
    }
}

void bench_peer_task(void *unused)
{
    (void)unused;
    for (;;) {
        (void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        s_order.row->peer(s_order.n);
    }
}

const bench_result_t *bench_run(const bench_row_t *row, uint32_t n, int32_t arg, bool loaded)
{
    static StaticSemaphore_t s_memory;
    if (s_done == NULL) {
        s_done = xSemaphoreCreateBinaryStatic(&s_memory);
    }
    s_order = (order_t){.row = row, .n = n, .arg = arg, .loaded = loaded};
    (void)xTaskNotifyGive(tasks_handle(TASK_BENCH));
    (void)xSemaphoreTake(s_done, portMAX_DELAY);
    return &s_result;
}
