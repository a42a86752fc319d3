// SPDX-License-Identifier: MIT
// Commands about the micro-benchmarks: list, context, run, read.
#include "bench.h"
#include "commands_table.h"
#include "console.h"
#include "identity.h"
#include "platform.h"
#include "reply_series.h"
#include "series.h"
#include "tasks.h"

#include <string.h>

void command_bench_list(const command_call_t *call, reply_t *reply)
{
    (void)call;
    uint32_t rows = 0;
    for (const bench_row_t *row; (row = bench_row(rows)) != NULL; rows++) {
        line_t *line = reply_data(reply);
        line_add_text(line, "id", row->id);
        line_add_text(line, "variant", row->variant);
        line_add_text(line, "unit", "ticks");
        line_add_text(line, "help", row->help);
        reply_send(reply);
    }
    line_t *line = reply_ok(reply);
    line_add_u32(line, "rows", rows);
    line_add_u32(line, "max_n", BENCH_MAX_SAMPLES);
    reply_send(reply);
}

static void bench_add_kernel(line_t *line)
{
    line_add_text(line, "kernel", KERNEL_VERSION_TEXT);
    line_add_u32(line, "kernel_number", KERNEL_VERSION);
    line_add_text(line, "port", RIG_KERNEL_PORT);
    line_add_u32(line, "tick_hz", configTICK_RATE_HZ);
    line_add_u32(line, "max_prio", configMAX_PRIORITIES);
    line_add_u32(line, "asserts", 1);
    line_add_u32(line, "stack_check", configCHECK_FOR_STACK_OVERFLOW);
    line_add_u32(line, "trace", configUSE_TRACE_FACILITY);
    line_add_text(line, "task_select",
                  configUSE_PORT_OPTIMISED_TASK_SELECTION ? "port" : "generic");
    line_add_u32(line, "preemption", configUSE_PREEMPTION);
    line_add_u32(line, "time_slicing", configUSE_TIME_SLICING);
    line_add_u32(line, "timers", configUSE_TIMERS);
    line_add_text(line, "heap", RIG_KERNEL_HEAP);
    line_add_u32(line, "heap_bytes", configTOTAL_HEAP_SIZE);
}

static void bench_send_load(reply_t *reply)
{
    bench_load_t load = bench_load();
    line_t *line = reply_data(reply);
    line_add_u32(line, "load_us", load.us);
    line_add_u32(line, "load_isr_rounds", load.isr_rounds);
    line_add_u32(line, "load_tasks", load.tasks);
    line_add_u32(line, "load_timers", load.timers);
    reply_send(reply);
}

void command_bench_context(const command_call_t *call, reply_t *reply)
{
    (void)call;
    bench_send_load(reply);
    line_t *line = reply_ok(reply);
    bench_add_kernel(line);
    line_add_text(line, "cpu", RIG_CPU);
    line_add_u32(line, "cpu_hz", PLATFORM_CORE_HZ);
    line_add_text(line, "clock_source", platform_clock());
    line_add_text(line, "counter", PLATFORM_COUNTER);
    line_add_u32(line, "counter_hz", PLATFORM_COUNTER_HZ);
    line_add_text(line, "opt", RIG_OPTIMISE);
    line_add_text(line, "compiler", identity_compiler());
    line_add_text(line, "version", RIG_VERSION);
    line_add_text(line, "flags", RIG_FLAGS_HASH);
#if defined(__ARM_FP)
    line_add_text(line, "fpu", "hard");
#else
    line_add_text(line, "fpu", "none");
#endif
    line_add_u32(line, "bench_prio", TASK_BENCH_PRIORITY);
    line_add_u32(line, "peer_prio", TASK_BENCH_PEER_PRIORITY);
    reply_send(reply);
}

static void bench_send_result(const bench_result_t *result, reply_t *reply)
{
    line_t *line = reply_ok(reply);
    line_add_text(line, "id", result->row->id);
    line_add_u32(line, "n", result->n);
    line_add_i32(line, "arg", result->arg);
    line_add_text(line, "load", result->loaded ? "loaded" : "idle");
    line_add_u32(line, "overhead", result->overhead);
    line_add_u32(line, "overhead_n", result->overhead_n);
    line_add_u32(line, "cold", result->cold & ~SERIES_TICK_HIT);
    line_add_u32(line, "tick_hits", result->tick_hits);
    line_add_u32(line, "counter_hz", PLATFORM_COUNTER_HZ);
    line_add_text(line, "order", "ok");
    reply_send(reply);
}

void command_bench_run(const command_call_t *call, reply_t *reply)
{
    const char *id = call->values[ARG_BENCH_RUN_ID].text;
    int32_t arg = call->values[ARG_BENCH_RUN_ARG].number;
    const bench_row_t *row = bench_find(id);
    if (row == NULL) {
        reply_error(reply, status_word(STATUS_UNKNOWN), id);
        return;
    }
    if (row->takes == NULL ? arg != 0 : !row->takes(arg)) {
        reply_error(reply, status_word(STATUS_VALUE), "arg");
        return;
    }
    if (!platform_counter_advances()) {
        reply_error(reply, "counter", "the counter does not advance");
        return;
    }
    bool loaded = strcmp(call->values[ARG_BENCH_RUN_LOAD].text, "loaded") == 0;
    const bench_result_t *result =
        bench_run(row, (uint32_t)call->values[ARG_BENCH_RUN_N].number, arg, loaded);
    if (result->fault == g_bench_no_alarm) {
        reply_error(reply, status_word(STATUS_ABSENT), g_bench_no_alarm);
        return;
    }
    if (result->fault == g_bench_only_idle) {
        reply_error(reply, status_word(STATUS_VALUE), "load");
        return;
    }
    if (result->fault != NULL) {
        reply_error(reply, "incorrect", result->fault);
        return;
    }
    bench_send_result(result, reply);
}

void command_bench_read(const command_call_t *call, reply_t *reply)
{
    const bench_result_t *result = bench_last();
    if (result->row == NULL || result->fault != NULL) {
        reply_error(reply, "none", "nothing was measured yet");
        return;
    }
    reply_series(reply, bench_samples(), result->n,
                 (uint32_t)call->values[ARG_BENCH_READ_OFFSET].number,
                 (uint32_t)call->values[ARG_BENCH_READ_COUNT].number);
}
