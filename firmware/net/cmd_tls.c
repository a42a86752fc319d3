// SPDX-License-Identifier: MIT
// Commands about TLS: what it stands on, and connections by hand.
#include "commands_table.h"
#include "connection_tls.h"
#include "console.h"
#include "hex.h"
#include "net_work.h"
#include "pattern.h"
#include "platform.h"
#include "tls_platform.h"
#include "tls_sessions.h"
#include "tls_speed.h"

#include "mbedtls/ecp.h"
#include "mbedtls/ssl.h"
#include "mbedtls/version.h"

#include <string.h>

enum { HANDLES = 4, DEFAULT_MS = 10000, PIECE_BYTES = 1024, FAULT_BYTES = 96 };

typedef struct {
    const command_call_t *call;
    NetworkContext_t *context;
    connection_options_t options;
    status_t status;
    uint32_t timeout_ms;
    size_t handle;
    size_t done; // bytes sent or received
    bool right;  // they were those of the pattern
    uint32_t seed;
    size_t length;
    uint32_t took_us;
    char fault[FAULT_BYTES];
    uint8_t bytes[PIECE_BYTES];
} tls_job_t;

static NetworkContext_t *s_handles[HANDLES];
static tls_job_t s_job;

static uint32_t tls_now_us(void)
{
    return *(const volatile uint32_t *)PLATFORM_COUNTER_AT / (PLATFORM_COUNTER_HZ / 1000000u);
}

// ---- what it stands on -------------------------------------------------------------------------

static int tls_job_prepare(void *unused)
{
    (void)unused;
    return tls_platform_init();
}

void command_tls_info(const command_call_t *call, reply_t *reply)
{
    (void)call;
    size_t count;
    const int *suites = connection_tls_suites(&count);
    (void)net_work_run(tls_job_prepare, NULL);
    for (size_t i = 0; i < count; i++) {
        line_add_text(reply_data(reply), "suite", mbedtls_ssl_get_ciphersuite_name(suites[i]));
        reply_send(reply);
    }
    line_t *line = reply_ok(reply);
    line_add_text(line, "library", "mbedTLS");
    line_add_text(line, "version", MBEDTLS_VERSION_STRING);
    line_add_text(line, "entropy",
                  tls_entropy_is_real() ? "hardware" : "seeded, not for production");
    line_add_text(line, "clock", tls_clock_is_set() ? "set" : "not set");
    line_add_u32(line, "fast_reduction", TLS_FAST_REDUCTION);
    line_add_u32(line, "window", MBEDTLS_ECP_WINDOW_SIZE);
    line_add_u32(line, "fixed_point", MBEDTLS_ECP_FIXED_POINT_OPTIM);
    line_add_u32(line, "record_in", MBEDTLS_SSL_IN_CONTENT_LEN);
    line_add_u32(line, "record_out", MBEDTLS_SSL_OUT_CONTENT_LEN);
    reply_send(reply);
}

void command_tls_memory(const command_call_t *call, reply_t *reply)
{
    tls_memory_t memory;
    (void)net_work_run(tls_job_prepare, NULL);
    tls_memory(&memory);
    if (strcmp(call->values[ARG_TLS_MEMORY_PEAK].text, "forget") == 0) {
        tls_memory_forget_peak();
    }
    line_t *line = reply_ok(reply);
    line_add_u32(line, "size", (uint32_t)memory.size);
    line_add_u32(line, "used", (uint32_t)memory.used);
    line_add_u32(line, "blocks", (uint32_t)memory.blocks);
    line_add_u32(line, "peak", (uint32_t)memory.peak);
    reply_send(reply);
}

typedef struct {
    const char *operation;
    uint32_t rounds;
    tls_speed_t speed;
} tls_speed_job_t;

static int tls_job_speed(void *argument)
{
    tls_speed_job_t *job = argument;
    status_t status = tls_platform_init();
    return status == STATUS_OK ? tls_speed_run(job->operation, job->rounds, &job->speed) : status;
}

void command_tls_speed(const command_call_t *call, reply_t *reply)
{
    tls_speed_job_t job = {.operation = call->values[ARG_TLS_SPEED_OPERATION].text,
                           .rounds = (uint32_t)call->values[ARG_TLS_SPEED_ROUNDS].number};
    int status = net_work_run(tls_job_speed, &job);
    if (status != STATUS_OK) {
        reply_error(reply, status_word((status_t)status), job.operation);
        return;
    }
    line_t *line = reply_ok(reply);
    line_add_u32(line, "rounds", job.rounds);
    line_add_u32(line, "ticks", job.speed.ticks);
    line_add_u32(line, "counter_hz", PLATFORM_COUNTER_HZ);
    line_add_u32(line, "peak", job.speed.peak);
    reply_send(reply);
}

// ---- connections -------------------------------------------------------------------------------

static int tls_job_connect(void *argument)
{
    tls_job_t *job = argument;
    uint32_t began = tls_now_us();
    s_handles[job->handle] = connection_open(&job->options, &job->status);
    job->took_us = tls_now_us() - began;
    strncpy(job->fault, connection_fault(), sizeof job->fault - 1u);
    return job->status;
}

static const char *tls_text(const command_call_t *call, size_t argument)
{
    return call->values[argument].present ? call->values[argument].text : NULL;
}

static size_t tls_free_handle(void)
{
    size_t handle = 0;
    while (handle < HANDLES && s_handles[handle] != NULL) {
        handle++;
    }
    return handle;
}

static void tls_answer_facts(reply_t *reply)
{
    connection_tls_facts_t facts;
    line_t *line = reply_ok(reply);
    line_add_u32(line, "handle", (uint32_t)s_job.handle);
    if (connection_tls_facts(s_handles[s_job.handle], &facts)) {
        line_add_text(line, "suite", facts.suite);
        line_add_text(line, "version", facts.version);
        line_add_text(line, "alpn", facts.protocol);
        line_add_u32(line, "resumed", facts.resumed);
        line_add_u32(line, "handshake_us", facts.handshake_us);
        line_add_u32(line, "record", (uint32_t)facts.record_bytes);
    }
    line_add_u32(line, "took_us", s_job.took_us);
    reply_send(reply);
}

void command_tls_connect(const command_call_t *call, reply_t *reply)
{
    const argument_value_t *values = call->values;
    memset(&s_job, 0, sizeof s_job);
    uint32_t ms = values[ARG_TLS_CONNECT_MS].present ? (uint32_t)values[ARG_TLS_CONNECT_MS].number
                                                     : DEFAULT_MS;
    s_job.options = (connection_options_t){
        .host = values[ARG_TLS_CONNECT_HOST].text,
        .port = (uint16_t)values[ARG_TLS_CONNECT_PORT].number,
        .tls = true,
        .server_name = tls_text(call, ARG_TLS_CONNECT_NAME),
        .alpn = tls_text(call, ARG_TLS_CONNECT_ALPN),
        .identity = tls_text(call, ARG_TLS_CONNECT_IDENTITY),
        .anonymous = values[ARG_TLS_CONNECT_ANONYMOUS].number != 0,
        .resume = values[ARG_TLS_CONNECT_RESUME].number != 0,
        .connect_timeout_ms = ms,
        .send_timeout_ms = ms,
    };
    s_job.handle = tls_free_handle();
    if (s_job.handle == HANDLES) {
        reply_error(reply, status_word(STATUS_RANGE), "too many connections");
    } else if (net_work_run(tls_job_connect, &s_job) != STATUS_OK) {
        reply_error(reply, status_word(s_job.status), s_job.fault);
    } else {
        tls_answer_facts(reply);
    }
}

// Begins a job on the connection of a handle; false after an error was answered.
static bool tls_begin(const argument_value_t *handle, const argument_value_t *ms, reply_t *reply)
{
    memset(&s_job, 0, sizeof s_job);
    s_job.handle = (size_t)handle->number;
    s_job.context = s_handles[s_job.handle];
    s_job.timeout_ms = ms != NULL && ms->present ? (uint32_t)ms->number : DEFAULT_MS;
    s_job.right = true;
    if (s_job.context == NULL) {
        reply_error(reply, status_word(STATUS_VALUE), "handle: not open");
    }
    return s_job.context != NULL;
}

static int tls_job_send(void *argument)
{
    tls_job_t *job = argument;
    uint32_t began = tls_now_us();
    int32_t sent = 1;
    while (job->done < job->length && sent > 0) {
        size_t left = job->length - job->done;
        size_t piece = left < sizeof job->bytes ? left : sizeof job->bytes;
        if (job->seed != 0u) {
            pattern_fill(job->seed, (uint32_t)job->done, job->bytes, piece);
        }
        sent = connection_send(job->context, job->bytes, piece);
        job->done += sent > 0 ? (size_t)sent : 0u;
    }
    job->took_us = tls_now_us() - began;
    return sent < 0 ? sent : (sent == 0 ? STATUS_TIMEOUT : STATUS_OK);
}

static void tls_answer_done(int status, reply_t *reply)
{
    if (status != STATUS_OK) {
        char done[11];
        (void)line_format_u32((uint32_t)s_job.done, done);
        reply_error(reply, status_word((status_t)status), done);
        return;
    }
    line_t *line = reply_ok(reply);
    line_add_u32(line, "bytes", (uint32_t)s_job.done);
    line_add_u32(line, "took_us", s_job.took_us);
}

void command_tls_send(const command_call_t *call, reply_t *reply)
{
    const argument_value_t *values = call->values;
    if (!tls_begin(&values[ARG_TLS_SEND_HANDLE], NULL, reply)) {
        return;
    }
    int count = hex_parse(values[ARG_TLS_SEND_DATA].text, s_job.bytes, HEX_MOST_BYTES);
    s_job.seed = (uint32_t)values[ARG_TLS_SEND_SEED].number;
    s_job.length = s_job.seed != 0u ? (size_t)values[ARG_TLS_SEND_LENGTH].number
                                    : (size_t)(count > 0 ? count : 0);
    if (count < 0 || s_job.length == 0u) {
        reply_error(reply, status_word(STATUS_VALUE), "data, or length and seed");
        return;
    }
    int status = net_work_run(tls_job_send, &s_job);
    tls_answer_done(status, reply);
    if (status == STATUS_OK) {
        reply_send(reply);
    }
}

static int tls_job_receive(void *argument)
{
    tls_job_t *job = argument;
    uint32_t began = tls_now_us();
    int32_t got = 1;
    connection_set_receive_timeout(job->context, job->timeout_ms);
    while (job->done < job->length && got > 0) {
        size_t left = job->length - job->done;
        got = connection_receive(job->context, job->bytes,
                                 left < sizeof job->bytes ? left : sizeof job->bytes);
        if (got > 0 && job->seed != 0u) {
            job->right = job->right && pattern_match(job->seed, (uint32_t)job->done, job->bytes,
                                                     (size_t)got) == (size_t)got;
        }
        job->done += got > 0 ? (size_t)got : 0u;
        if (job->seed == 0u) {
            break;
        }
    }
    job->took_us = tls_now_us() - began;
    return got < 0 ? got : STATUS_OK;
}

void command_tls_receive(const command_call_t *call, reply_t *reply)
{
    const argument_value_t *values = call->values;
    char text[HEX_TEXT_BYTES];
    if (!tls_begin(&values[ARG_TLS_RECEIVE_HANDLE], &values[ARG_TLS_RECEIVE_MS], reply)) {
        return;
    }
    s_job.seed = (uint32_t)values[ARG_TLS_RECEIVE_SEED].number;
    s_job.length = (size_t)values[ARG_TLS_RECEIVE_LENGTH].number;
    if (s_job.seed == 0u && s_job.length > HEX_MOST_BYTES) {
        reply_error(reply, status_word(STATUS_VALUE), "length: at most 128 without a seed");
        return;
    }
    int status = net_work_run(tls_job_receive, &s_job);
    tls_answer_done(status, reply);
    if (status != STATUS_OK) {
        return;
    }
    if (s_job.seed != 0u) {
        connection_tls_facts_t facts;
        line_add_u32(&reply->line, "right", s_job.right);
        if (connection_tls_facts(s_job.context, &facts)) {
            line_add_u32(&reply->line, "largest", (uint32_t)facts.largest_bytes);
        }
    } else {
        hex_format(s_job.bytes, s_job.done, text);
        line_add_text(&reply->line, "data", text);
    }
    reply_send(reply);
}

static int tls_job_close(void *argument)
{
    tls_job_t *job = argument;
    connection_close(job->context);
    s_handles[job->handle] = NULL;
    return STATUS_OK;
}

void command_tls_close(const command_call_t *call, reply_t *reply)
{
    if (tls_begin(&call->values[ARG_TLS_CLOSE_HANDLE], NULL, reply)) {
        (void)net_work_run(tls_job_close, &s_job);
        reply_finish(reply);
    }
}

static int tls_job_forget(void *unused)
{
    (void)unused;
    tls_sessions_forget();
    return STATUS_OK;
}

void command_tls_forget(const command_call_t *call, reply_t *reply)
{
    (void)call;
    (void)net_work_run(tls_job_forget, NULL);
    reply_finish(reply);
}
