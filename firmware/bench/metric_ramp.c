// SPDX-License-Identifier: MIT
// The ramp: five periodic tasks with harmonic periods and priorities by rate, whose load is raised
// until the first deadline is missed. What the core does beside their work is what is missing then:
// with harmonic periods all of it could be used (Liu and Layland 1973).
#include "bench_helpers.h"
#include "metric.h"

#include "bench.h"
#include "metric_work.h"
#include "platform.h"

enum { PROBES = 16, RAMP_MAX = 1100, HYPERPERIODS = 2, LEAD_TICKS = 2 };

// A period is also the deadline: a job is done before the next one is released.
static const TickType_t s_periods[METRIC_TASKS] = {10, 20, 40, 80, 160};
#define HYPERPERIOD s_periods[METRIC_TASKS - 1]

typedef struct {
    uint32_t state;
    uint32_t steps; // of work, each job
    uint32_t jobs;  // done
} ramp_task_t;

static ramp_task_t s_ramp[METRIC_TASKS];
static TickType_t s_start;
static volatile bool s_missed;
static volatile uint32_t s_missed_task;
static volatile uint32_t s_missed_job;

static void ramp_note_miss(uint32_t slot, uint32_t job)
{
    taskENTER_CRITICAL();
    if (!s_missed) {
        s_missed_task = slot;
        s_missed_job = job;
    }
    s_missed = true;
    taskEXIT_CRITICAL();
}

static void ramp_task(void *argument)
{
    uint32_t slot = (uint32_t)(uintptr_t)argument;
    ramp_task_t *self = &s_ramp[slot];
    TickType_t period = s_periods[slot];
    TickType_t release = s_start - period;
    while (self->jobs < HYPERPERIODS * HYPERPERIOD / period) {
        kernel_delay_until(&release, period);
        self->state = metric_work(self->state, self->steps);
        if ((TickType_t)(xTaskGetTickCount() - release) >= period) {
            ramp_note_miss(slot, self->jobs);
        }
        self->jobs++;
    }
    metric_task_done();
}

// Counter ticks of some steps of work: the least of some probes that no tick hit.
static uint32_t ramp_cost(uint32_t steps)
{
    uint32_t least = UINT32_MAX;
    volatile uint32_t state = 1;
    for (uint32_t i = 0; i < PROBES; i++) {
        uint32_t ticks = g_tick_interrupts;
        uint32_t begin = *bench_counter();
        state = metric_work(state, steps);
        uint32_t cost = *bench_counter() - begin;
        least = ticks == g_tick_interrupts && cost < least ? cost : least;
    }
    return least;
}

// METRIC_UNIT steps alone, without the call around them: twice as many less once as many.
static uint32_t ramp_calibrate(void)
{
    return ramp_cost(2u * METRIC_UNIT) - ramp_cost(METRIC_UNIT);
}

// Steps that take `load` permille of the core, a fifth of it for each task.
static uint32_t ramp_steps(uint32_t load, TickType_t period, uint32_t unit)
{
    uint64_t budget = (uint64_t)PLATFORM_COUNTER_HZ * period / configTICK_RATE_HZ;
    return (uint32_t)(budget * load * METRIC_UNIT / ((uint64_t)unit * 1000u * METRIC_TASKS));
}

static const char *ramp_check(void)
{
    for (uint32_t slot = 0; slot < METRIC_TASKS; slot++) {
        const ramp_task_t *task = &s_ramp[slot];
        if (task->state != metric_jump(slot, (uint64_t)task->steps * task->jobs)) {
            return "a task's work is not whole";
        }
    }
    return NULL;
}

// One load, for some hyperperiods: every combination of releases comes in each.
static const char *ramp_run(uint32_t load, uint32_t unit)
{
    metric_begin();
    s_start = xTaskGetTickCount() + LEAD_TICKS;
    for (uint32_t slot = 0; slot < METRIC_TASKS; slot++) {
        s_ramp[slot] =
            (ramp_task_t){.state = slot, .steps = ramp_steps(load, s_periods[slot], unit)};
        (void)bench_helper_start(ramp_task, METRIC_TASKS - slot);
    }
    bool done = metric_await(METRIC_TASKS, 4u * HYPERPERIODS * HYPERPERIOD);
    const char *fault = done ? ramp_check() : "a periodic task did not come to its end";
    const char *left = metric_end();
    return fault != NULL ? fault : left;
}

static uint32_t ramp_unit(void)
{
    metric_begin();
    uint32_t unit = ramp_calibrate();
    (void)metric_end();
    return unit;
}

metric_ramp_t metric_ramp(uint32_t start, uint32_t step)
{
    metric_ramp_t result = {.unit = ramp_unit()};
    s_missed = false;
    for (uint32_t load = start; load <= RAMP_MAX && !s_missed && result.fault == NULL;
         load += step) {
        result.fault = ramp_run(load, result.unit);
        result.met = s_missed ? result.met : load;
        result.missed = load;
        result.steps++;
    }
    if (result.fault == NULL && !s_missed) {
        result.fault = "more than the whole core was used without a missed deadline";
    }
    result.task = s_missed_task;
    result.period = s_periods[s_missed_task];
    result.job = s_missed_job;
    return result;
}
