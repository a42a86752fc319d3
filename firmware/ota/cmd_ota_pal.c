// SPDX-License-Identifier: MIT
// Commands that call the platform layer of OTA, one function each; the work is done in net.work.
#include "commands_table.h"
#include "console.h"
#include "hex.h"
#include "net_work.h"
#include "ota_pal.h"
#include "ota_task.h"
#include "pattern.h"

#include <string.h>

enum { PIECE_BYTES = 4096 };

typedef struct {
    const argument_value_t *values;
    uint8_t bytes[HEX_MOST_BYTES];
    int count;
} pal_job_t;

static pal_job_t s_job;

// Runs a job unless the agent uses the slot; false after its error was answered.
static bool pal_run(int (*run)(void *), const command_call_t *call, reply_t *reply)
{
    ota_state_t state = ota_task_status().state;
    s_job.values = call->values;
    int status = STATUS_RANGE;
    if (state == OTA_OFF || state == OTA_READY) {
        status = net_work_run(run, &s_job);
    }
    if (status < 0) {
        reply_error(reply, status_word((status_t)status),
                    status == STATUS_RANGE ? "length, or the agent has a job" : "");
        return false;
    }
    s_job.count = status;
    return true;
}

static int pal_create_job(void *argument)
{
    const argument_value_t *values = ((pal_job_t *)argument)->values;
    return ota_pal_create(ota_pal_file(), (uint32_t)values[ARG_OTA_PAL_CREATE_BYTES].number);
}

void command_ota_pal_create(const command_call_t *call, reply_t *reply)
{
    if (pal_run(pal_create_job, call, reply)) {
        reply_finish(reply);
    }
}

// Writes a pattern, piece by piece.
static int pal_write_job(void *argument)
{
    static uint8_t s_piece[PIECE_BYTES];
    const argument_value_t *values = ((pal_job_t *)argument)->values;
    uint32_t offset = (uint32_t)values[ARG_OTA_PAL_WRITE_OFFSET].number;
    uint32_t length = (uint32_t)values[ARG_OTA_PAL_WRITE_LENGTH].number;
    uint32_t seed = (uint32_t)values[ARG_OTA_PAL_WRITE_SEED].number;
    for (uint32_t done = 0; done < length;) {
        uint32_t left = length - done;
        uint32_t count = left < PIECE_BYTES ? left : PIECE_BYTES;
        pattern_fill(seed, offset + done, s_piece, count);
        int32_t written = ota_pal_write(ota_pal_file(), offset + done, s_piece, count);
        if (written < 0) {
            return written;
        }
        done += (uint32_t)written;
    }
    return (int)length;
}

void command_ota_pal_write(const command_call_t *call, reply_t *reply)
{
    if (pal_run(pal_write_job, call, reply)) {
        line_add_u32(reply_ok(reply), "written", (uint32_t)s_job.count);
        reply_send(reply);
    }
}

static int pal_close_job(void *argument)
{
    pal_job_t *job = argument;
    int count =
        hex_parse(job->values[ARG_OTA_PAL_CLOSE_SIGNATURE].text, job->bytes, sizeof job->bytes);
    return count < 0
               ? count
               : ota_pal_close(ota_pal_file(), job->values[ARG_OTA_PAL_CLOSE_CERTIFICATE].text,
                               job->bytes, (size_t)count);
}

void command_ota_pal_close(const command_call_t *call, reply_t *reply)
{
    if (pal_run(pal_close_job, call, reply)) {
        reply_finish(reply);
    }
}

static int pal_abort_job(void *argument)
{
    static ota_pal_file_t s_none;
    const char *which = ((pal_job_t *)argument)->values[ARG_OTA_PAL_ABORT_FILE].text;
    if (strcmp(which, "null") == 0) {
        return ota_pal_abort(NULL);
    }
    return ota_pal_abort(strcmp(which, "missing") == 0 ? &s_none : ota_pal_file());
}

void command_ota_pal_abort(const command_call_t *call, reply_t *reply)
{
    if (pal_run(pal_abort_job, call, reply)) {
        line_add_u32(reply_ok(reply), "open", ota_pal_file()->open ? 1 : 0);
        reply_send(reply);
    }
}

static int pal_set_job(void *argument)
{
    const argument_value_t *values = ((pal_job_t *)argument)->values;
    return ota_pal_set_state((uint32_t)values[ARG_OTA_PAL_SET_STATE].number);
}

void command_ota_pal_set(const command_call_t *call, reply_t *reply)
{
    if (pal_run(pal_set_job, call, reply)) {
        reply_finish(reply);
    }
}

static int pal_get_job(void *argument)
{
    (void)argument;
    return (int)ota_pal_get_state();
}

void command_ota_pal_get(const command_call_t *call, reply_t *reply)
{
    static const char *const s_words[] = {"valid", "pending", "invalid"};
    if (pal_run(pal_get_job, call, reply)) {
        line_add_text(reply_ok(reply), "state", s_words[s_job.count]);
        reply_send(reply);
    }
}
