// SPDX-License-Identifier: MIT
// Commands of the shadow client.
#include "commands_table.h"
#include "console.h"
#include "mqtt_task.h"
#include "net_work.h"
#include "shadow_client.h"

typedef struct {
    const command_call_t *call;
    shadow_request_t request;
    shadow_update_t update;
    shadow_reply_t reply;
    uint32_t wait_ms;
} shadow_job_t;

static int shadow_open_job(void *argument)
{
    const argument_value_t *values = ((const command_call_t *)argument)->values;
    return shadow_client_open(values[ARG_SHADOW_OPEN_THING].text, values[ARG_SHADOW_OPEN_NAME].text,
                              (uint8_t)values[ARG_SHADOW_OPEN_QOS].number,
                              values[ARG_SHADOW_OPEN_ADOPT].number != 0,
                              (uint32_t)values[ARG_SHADOW_OPEN_MS].number);
}

static int shadow_ask_job(void *argument)
{
    shadow_job_t *job = argument;
    return shadow_client_ask(job->request, &job->update, &job->reply, job->wait_ms);
}

void command_shadow_open(const command_call_t *call, reply_t *reply)
{
    mqtt_task_prepare();
    int status = net_work_run(shadow_open_job, (void *)call);
    if (status != STATUS_OK) {
        reply_error(reply, status_word((status_t)status), "");
    }
}

// A rejection is an answer, not an error of the command.
static void shadow_run(shadow_job_t *job, reply_t *reply)
{
    mqtt_task_prepare();
    int status = net_work_run(shadow_ask_job, job);
    if (status != STATUS_OK) {
        reply_error(reply, status_word((status_t)status), "");
        return;
    }
    line_t *line = reply_ok(reply);
    line_add_u32(line, "accepted", job->reply.accepted ? 1 : 0);
    line_add_u32(line, "code", job->reply.code);
    line_add_text(line, "message", job->reply.message);
    line_add_u32(line, "version", job->reply.version);
    line_add_u32(line, "length", job->reply.state_length);
    line_add_text(line, "state", job->reply.state);
    reply_send(reply);
}

static const char *shadow_optional(const argument_value_t *value)
{
    return value->present ? value->text : NULL;
}

void command_shadow_get(const command_call_t *call, reply_t *reply)
{
    static shadow_job_t s_job;
    s_job = (shadow_job_t){
        .request = SHADOW_GET,
        .update = {.token = shadow_optional(&call->values[ARG_SHADOW_GET_TOKEN])},
        .wait_ms = (uint32_t)call->values[ARG_SHADOW_GET_MS].number,
    };
    shadow_run(&s_job, reply);
}

void command_shadow_delete(const command_call_t *call, reply_t *reply)
{
    static shadow_job_t s_job;
    s_job = (shadow_job_t){
        .request = SHADOW_DELETE,
        .update = {.token = shadow_optional(&call->values[ARG_SHADOW_DELETE_TOKEN])},
        .wait_ms = (uint32_t)call->values[ARG_SHADOW_DELETE_MS].number,
    };
    shadow_run(&s_job, reply);
}

void command_shadow_update(const command_call_t *call, reply_t *reply)
{
    static shadow_job_t s_job;
    const argument_value_t *values = call->values;
    s_job = (shadow_job_t){
        .request = SHADOW_UPDATE,
        .update =
            {
                .desired = shadow_optional(&values[ARG_SHADOW_UPDATE_DESIRED]),
                .reported = shadow_optional(&values[ARG_SHADOW_UPDATE_REPORTED]),
                .has_version = values[ARG_SHADOW_UPDATE_VERSION].present,
                .version = (uint32_t)values[ARG_SHADOW_UPDATE_VERSION].number,
                .token = shadow_optional(&values[ARG_SHADOW_UPDATE_TOKEN]),
            },
        .wait_ms = (uint32_t)values[ARG_SHADOW_UPDATE_MS].number,
    };
    shadow_run(&s_job, reply);
}

void command_shadow_status(const command_call_t *call, reply_t *reply)
{
    (void)call;
    mqtt_task_prepare();
    shadow_t state = shadow_client_state();
    line_t *line = reply_ok(reply);
    line_add_text(line, "thing", state.thing);
    line_add_text(line, "name", state.name);
    line_add_u32(line, "known", state.known ? 1 : 0);
    line_add_u32(line, "version", state.version);
    line_add_u32(line, "accepted", state.counts.accepted);
    line_add_u32(line, "rejected", state.counts.rejected);
    line_add_u32(line, "deltas", state.counts.deltas);
    line_add_u32(line, "documents", state.counts.documents);
    line_add_u32(line, "ignored", state.counts.ignored);
    line_add_u32(line, "malformed", state.counts.malformed);
    reply_send(reply);
}
