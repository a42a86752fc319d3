// SPDX-License-Identifier: MIT
// The command transport.case: a case of the transport interface over a connection of its own, or in
// several tasks at once, each with its own.
#include "commands_table.h"
#include "connection.h"
#include "console.h"
#include "net_crew.h"
#include "net_work.h"
#include "transport_cases.h"

#include <string.h>

enum { DEFAULT_MS = 10000, RECEIVE_MS = 200, FAULT_BYTES = 96 };

typedef struct {
    const transport_row_t *row;
    connection_options_t options;
    transport_case_t cases[NET_CREW_COUNT];
    status_t status; // of opening
    char fault[FAULT_BYTES];
    size_t threads;
} transport_job_t;

static uint8_t s_buffers[NET_CREW_COUNT][TRANSPORT_LENGTH_MAX];
static transport_job_t s_job;

// A connection, the case over it, and its end.
static int transport_member(void *argument, size_t number)
{
    transport_job_t *job = argument;
    transport_case_t *it = &job->cases[number];
    status_t status = STATUS_OK;
    NetworkContext_t *context = connection_open(&job->options, &status);
    if (context == NULL) {
        job->status = status;
        strncpy(job->fault, connection_fault(), sizeof job->fault - 1u);
        return status;
    }
    it->transport = connection_transport(context);
    job->row->run(it);
    connection_close(context);
    return STATUS_OK;
}

static int transport_job(void *argument)
{
    transport_job_t *job = argument;
    if (job->threads == 1u) {
        (void)transport_member(job, 0);
    } else {
        (void)net_crew_run(job->threads, transport_member, job);
    }
    return STATUS_OK;
}

static void transport_prepare(const command_call_t *call)
{
    const argument_value_t *values = call->values;
    const argument_value_t *ms = &values[ARG_TRANSPORT_CASE_MS];
    uint32_t timeout_ms = ms->present ? (uint32_t)ms->number : DEFAULT_MS;
    memset(&s_job, 0, sizeof s_job);
    s_job.row = transport_case_find(values[ARG_TRANSPORT_CASE_NAME].text);
    s_job.threads = values[ARG_TRANSPORT_CASE_THREADS].present
                        ? (size_t)values[ARG_TRANSPORT_CASE_THREADS].number
                        : 1u;
    s_job.options = (connection_options_t){
        .host = values[ARG_TRANSPORT_CASE_HOST].text,
        .port = (uint16_t)values[ARG_TRANSPORT_CASE_PORT].number,
        .tls = values[ARG_TRANSPORT_CASE_TLS].number != 0,
        .connect_timeout_ms = timeout_ms,
        .receive_timeout_ms = RECEIVE_MS,
        .send_timeout_ms = RECEIVE_MS,
    };
    for (size_t i = 0; i < s_job.threads; i++) {
        s_job.cases[i] = (transport_case_t){
            .length = values[ARG_TRANSPORT_CASE_LENGTH].present
                          ? (uint32_t)values[ARG_TRANSPORT_CASE_LENGTH].number
                          : 1u,
            .seed = (uint32_t)i + 1u,
            .timeout_ms = timeout_ms,
            .buffer = s_buffers[i],
        };
    }
}

static void transport_answer(reply_t *reply)
{
    for (size_t i = 0; i < s_job.threads; i++) {
        const transport_case_t *it = &s_job.cases[i];
        line_t *line = reply_data(reply);
        line_add_i32(line, "value", it->value);
        line_add_u32(line, "calls", it->calls);
        line_add_u32(line, "zeros", it->zeros);
        line_add_u32(line, "sent", it->sent);
        line_add_u32(line, "received", it->received);
        line_add_u32(line, "same", it->same);
        reply_send(reply);
    }
    line_add_u32(reply_ok(reply), "rows", (uint32_t)s_job.threads);
    reply_send(reply);
}

void command_transport_case(const command_call_t *call, reply_t *reply)
{
    transport_prepare(call);
    if (s_job.row == NULL) {
        reply_error(reply, status_word(STATUS_VALUE), "name");
        return;
    }
    (void)net_work_run(transport_job, &s_job);
    if (s_job.status != STATUS_OK) {
        reply_error(reply, status_word(s_job.status), s_job.fault);
        return;
    }
    transport_answer(reply);
}
