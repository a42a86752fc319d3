// SPDX-License-Identifier: MIT
// Commands about throughput: the metrics, and the ramp of a periodic load.
#include "commands_table.h"
#include "console.h"
#include "metric.h"
#include "platform.h"

void command_metric_list(const command_call_t *call, reply_t *reply)
{
    (void)call;
    uint32_t rows = 0;
    for (const metric_row_t *row; (row = metric_row(rows)) != NULL; rows++) {
        line_t *line = reply_data(reply);
        line_add_text(line, "id", row->id);
        line_add_u32(line, "parties", row->parties);
        line_add_text(line, "help", row->help);
        reply_send(reply);
    }
    line_add_u32(reply_ok(reply), "rows", rows);
    reply_send(reply);
}

// Whether the counter can be relied on; if not, the reply says so.
static bool metric_counts(reply_t *reply)
{
    if (platform_counter_advances()) {
        return true;
    }
    reply_error(reply, "counter", "the counter does not advance");
    return false;
}

// A run may take more counter ticks than 32 bits hold.
static void metric_add_u64(line_t *line, const char *key, uint64_t value)
{
    char text[21];
    char *at = text + sizeof text - 1;
    *at = '\0';
    do {
        *--at = (char)('0' + value % 10u);
        value /= 10u;
    } while (value != 0u);
    line_add_text(line, key, at);
}

void command_metric_run(const command_call_t *call, reply_t *reply)
{
    const char *id = call->values[ARG_METRIC_RUN_ID].text;
    uint32_t seconds = (uint32_t)call->values[ARG_METRIC_RUN_SECONDS].number;
    const metric_row_t *row = metric_find(id);
    if (row == NULL) {
        reply_error(reply, status_word(STATUS_UNKNOWN), id);
        return;
    }
    if (!metric_counts(reply)) {
        return;
    }
    metric_result_t result = metric_run(row, seconds);
    if (result.fault != NULL) {
        reply_error(reply, "incorrect", result.fault);
        return;
    }
    line_t *line = reply_ok(reply);
    line_add_text(line, "id", row->id);
    line_add_u32(line, "seconds", seconds);
    line_add_u32(line, "count", result.count);
    line_add_u32(line, "parties", row->parties);
    metric_add_u64(line, "elapsed", result.elapsed);
    line_add_u32(line, "counter_hz", PLATFORM_COUNTER_HZ);
    line_add_text(line, "check", "ok");
    reply_send(reply);
}

void command_metric_ramp(const command_call_t *call, reply_t *reply)
{
    uint32_t start = (uint32_t)call->values[ARG_METRIC_RAMP_START].number;
    uint32_t step = (uint32_t)call->values[ARG_METRIC_RAMP_STEP].number;
    if (!metric_counts(reply)) {
        return;
    }
    metric_ramp_t ramp = metric_ramp(start, step);
    if (ramp.fault != NULL) {
        reply_error(reply, "incorrect", ramp.fault);
        return;
    }
    line_t *line = reply_ok(reply);
    line_add_u32(line, "met", ramp.met);
    line_add_u32(line, "missed", ramp.missed);
    line_add_u32(line, "task", ramp.task);
    line_add_u32(line, "period", ramp.period);
    line_add_u32(line, "job", ramp.job);
    line_add_u32(line, "steps", ramp.steps);
    line_add_u32(line, "unit", ramp.unit);
    line_add_text(line, "check", "ok");
    reply_send(reply);
}
