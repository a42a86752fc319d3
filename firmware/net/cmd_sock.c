// SPDX-License-Identifier: MIT
// Commands about TCP connections: sock.*. The work is done by the worker; the console waits for it.
#include "commands_table.h"
#include "console.h"
#include "hex.h"
#include "lwip_socket.h"
#include "net.h"
#include "net_work.h"
#include "sock_jobs.h"
#include "sock_parallel.h"

#include <string.h>

enum { DEFAULT_MS = 10000 };

static uint32_t sock_number(const argument_value_t *value, uint32_t otherwise)
{
    return value->present ? (uint32_t)value->number : otherwise;
}

// An error with what was done until then, which a host wants to know.
static void sock_reply_error(reply_t *reply, status_t status)
{
    reply_error(reply, status_word(status), status == STATUS_VALUE ? "handle" : "");
}

// ---- opening and closing -----------------------------------------------------------------------

typedef struct {
    const char *host;
    uint16_t port;
    uint32_t timeout_ms;
    uint32_t took_us;
} sock_open_t;

static int sock_job_open(void *argument)
{
    sock_open_t *open = argument;
    const net_stack_t *stack = net_stack();
    uint32_t began = sock_now_us();
    int32_t handle =
        stack != NULL ? stack->connect(open->host, open->port, open->timeout_ms) : STATUS_ABSENT;
    open->took_us = sock_now_us() - began;
    return handle;
}

void command_sock_open(const command_call_t *call, reply_t *reply)
{
    sock_open_t open = {.host = call->values[ARG_SOCK_OPEN_HOST].text,
                        .port = (uint16_t)call->values[ARG_SOCK_OPEN_PORT].number,
                        .timeout_ms = sock_number(&call->values[ARG_SOCK_OPEN_MS], DEFAULT_MS)};
    int handle = net_work_run(sock_job_open, &open);
    if (handle < 0) {
        sock_reply_error(reply, (status_t)handle);
        return;
    }
    line_t *line = reply_ok(reply);
    line_add_u32(line, "handle", (uint32_t)handle);
    line_add_u32(line, "took_us", open.took_us);
    reply_send(reply);
}

// What shutdown, close and option do, by the worker.
typedef struct {
    int32_t handle;
    const char *how;
    uint32_t value;
} sock_change_t;

static int sock_job_close(void *argument)
{
    const sock_change_t *change = argument;
    return net_stack() != NULL ? net_stack()->close(change->handle) : STATUS_ABSENT;
}

static int sock_job_shutdown(void *argument)
{
    const sock_change_t *change = argument;
    bool both = strcmp(change->how, "both") == 0;
    bool receiving = both || strcmp(change->how, "receive") == 0;
    bool sending = both || strcmp(change->how, "send") == 0;
    return net_stack() != NULL ? net_stack()->shutdown(change->handle, receiving, sending)
                               : STATUS_ABSENT;
}

static int sock_job_option(void *argument)
{
    const sock_change_t *change = argument;
    if (net_stack() != &g_lwip_stack) {
        return STATUS_ABSENT;
    }
    if (strcmp(change->how, "nagle") == 0) {
        return change->value <= 1u ? lwip_socket_set_nagle(change->handle, change->value == 1u)
                                   : STATUS_RANGE;
    }
    return change->value <= INT32_MAX ? lwip_socket_set_keepalive(change->handle, change->value)
                                      : STATUS_RANGE;
}

static void sock_run_change(int (*job)(void *), sock_change_t change, reply_t *reply)
{
    status_t status = (status_t)net_work_run(job, &change);
    if (status != STATUS_OK) {
        sock_reply_error(reply, status);
    }
}

void command_sock_close(const command_call_t *call, reply_t *reply)
{
    sock_run_change(sock_job_close,
                    (sock_change_t){.handle = call->values[ARG_SOCK_CLOSE_HANDLE].number}, reply);
}

void command_sock_shutdown(const command_call_t *call, reply_t *reply)
{
    sock_run_change(sock_job_shutdown,
                    (sock_change_t){.handle = call->values[ARG_SOCK_SHUTDOWN_HANDLE].number,
                                    .how = call->values[ARG_SOCK_SHUTDOWN_HOW].text},
                    reply);
}

void command_sock_option(const command_call_t *call, reply_t *reply)
{
    sock_run_change(sock_job_option,
                    (sock_change_t){.handle = call->values[ARG_SOCK_OPTION_HANDLE].number,
                                    .how = call->values[ARG_SOCK_OPTION_NAME].text,
                                    .value = (uint32_t)call->values[ARG_SOCK_OPTION_VALUE].number},
                    reply);
}

static int sock_job_facts(void *argument)
{
    lwip_socket_facts_t *facts = argument;
    return lwip_socket_facts((size_t)facts->handle, facts);
}

void command_sock_list(const command_call_t *call, reply_t *reply)
{
    (void)call;
    uint32_t rows = 0;
    for (int32_t i = 0; i < SOCKET_COUNT && net_stack() == &g_lwip_stack; i++) {
        lwip_socket_facts_t facts = {.handle = i};
        if (net_work_run(sock_job_facts, &facts) == 0) {
            continue;
        }
        char peer[NET_ADDRESS_TEXT_BYTES];
        net_format_address(facts.peer, peer);
        line_t *line = reply_data(reply);
        line_add_u32(line, "handle", (uint32_t)facts.handle);
        line_add_text(line, "state", facts.state);
        line_add_text(line, "peer", peer);
        line_add_u32(line, "port", facts.peer_port);
        line_add_u32(line, "own", facts.own_port);
        line_add_u32(line, "waiting", facts.waiting);
        reply_send(reply);
        rows++;
    }
    line_add_u32(reply_ok(reply), "rows", rows);
    reply_send(reply);
}

// ---- transfers ---------------------------------------------------------------------------------

// One at a time: the console waits for it.
static sock_transfer_t s_transfer;

static sock_transfer_t *sock_begin(int32_t handle, uint32_t timeout_ms)
{
    s_transfer = (sock_transfer_t){.stack = net_stack(),
                                   .handle = handle,
                                   .chunk = SOCK_CHUNK_BYTES,
                                   .timeout_ms = timeout_ms};
    return &s_transfer;
}

static bool sock_has_stack(reply_t *reply)
{
    if (net_stack() == NULL) {
        sock_reply_error(reply, STATUS_ABSENT);
    }
    return net_stack() != NULL;
}

void command_sock_send(const command_call_t *call, reply_t *reply)
{
    static uint8_t s_bytes[HEX_MOST_BYTES];
    const argument_value_t *hex = &call->values[ARG_SOCK_SEND_HEX];
    const argument_value_t *length = &call->values[ARG_SOCK_SEND_LENGTH];
    int count = hex_parse(hex->text, s_bytes, sizeof s_bytes);
    if (hex->present == length->present || count < 0) {
        reply_error(reply, status_word(count < 0 ? STATUS_VALUE : STATUS_USAGE), "hex");
        return;
    }
    if (!sock_has_stack(reply)) {
        return;
    }
    sock_transfer_t *transfer =
        sock_begin(call->values[ARG_SOCK_SEND_HANDLE].number,
                   sock_number(&call->values[ARG_SOCK_SEND_MS], DEFAULT_MS));
    transfer->bytes = hex->present ? s_bytes : NULL;
    transfer->length = hex->present ? (uint32_t)count : (uint32_t)length->number;
    transfer->seed = (uint32_t)call->values[ARG_SOCK_SEND_SEED].number;
    (void)net_work_run(sock_job_send, transfer);
    line_t *line = reply_ok(reply);
    line_add_u32(line, "sent", transfer->sent);
    line_add_text(line, "end", status_word(transfer->end));
    line_add_u32(line, "took_us", transfer->took_us);
    reply_send(reply);
}

static void sock_reply_received(reply_t *reply, const sock_transfer_t *transfer)
{
    char hex[HEX_TEXT_BYTES] = "";
    char digest[SHA256_TEXT_BYTES];
    line_t *line = reply_ok(reply);
    line_add_u32(line, "received", transfer->received);
    line_add_text(line, "end", status_word(transfer->end));
    line_add_u32(line, "took_us", transfer->took_us);
    line_add_u32(line, "ticks", transfer->took_ticks);
    if (transfer->received <= HEX_MOST_BYTES) {
        hex_format(transfer->first, transfer->received, hex);
        line_add_text(line, "hex", hex);
    } else {
        sha256_text(transfer->digest, digest);
        line_add_text(line, "sha256", digest);
    }
    reply_send(reply);
}

void command_sock_receive(const command_call_t *call, reply_t *reply)
{
    if (!sock_has_stack(reply)) {
        return;
    }
    const argument_value_t *chunk = &call->values[ARG_SOCK_RECEIVE_CHUNK];
    sock_transfer_t *transfer =
        sock_begin(call->values[ARG_SOCK_RECEIVE_HANDLE].number,
                   sock_number(&call->values[ARG_SOCK_RECEIVE_MS], DEFAULT_MS));
    transfer->length = (uint32_t)call->values[ARG_SOCK_RECEIVE_COUNT].number;
    transfer->chunk = sock_number(chunk, SOCK_CHUNK_BYTES);
    transfer->once = call->values[ARG_SOCK_RECEIVE_ONCE].number != 0;
    (void)net_work_run(sock_job_receive, transfer);
    sock_reply_received(reply, transfer);
}

void command_sock_echo(const command_call_t *call, reply_t *reply)
{
    if (!sock_has_stack(reply)) {
        return;
    }
    sock_transfer_t *transfer =
        sock_begin(call->values[ARG_SOCK_ECHO_HANDLE].number,
                   sock_number(&call->values[ARG_SOCK_ECHO_MS], DEFAULT_MS));
    transfer->length = (uint32_t)call->values[ARG_SOCK_ECHO_LENGTH].number;
    transfer->seed = (uint32_t)call->values[ARG_SOCK_ECHO_SEED].number;
    transfer->chunk = sock_number(&call->values[ARG_SOCK_ECHO_CHUNK], SOCK_CHUNK_BYTES);
    (void)net_work_run(sock_job_echo, transfer);
    line_t *line = reply_ok(reply);
    line_add_u32(line, "sent", transfer->sent);
    line_add_u32(line, "received", transfer->received);
    line_add_u32(line, "same", transfer->same);
    line_add_text(line, "end", status_word(transfer->end));
    line_add_u32(line, "took_us", transfer->took_us);
    reply_send(reply);
}

void command_sock_parallel(const command_call_t *call, reply_t *reply)
{
    sock_parallel_t parallel = {
        .host = call->values[ARG_SOCK_PARALLEL_HOST].text,
        .port = (uint16_t)call->values[ARG_SOCK_PARALLEL_PORT].number,
        .tasks = (uint32_t)call->values[ARG_SOCK_PARALLEL_TASKS].number,
        .shared = strcmp(call->values[ARG_SOCK_PARALLEL_SOCKET].text, "one") == 0,
        .length = (uint32_t)call->values[ARG_SOCK_PARALLEL_LENGTH].number,
        .seed = (uint32_t)call->values[ARG_SOCK_PARALLEL_SEED].number,
        .timeout_ms = sock_number(&call->values[ARG_SOCK_PARALLEL_MS], DEFAULT_MS)};
    (void)net_work_run(sock_job_parallel, &parallel);
    line_t *line = reply_ok(reply);
    line_add_u32(line, "whole", parallel.whole);
    line_add_u32(line, "same", parallel.same);
    line_add_text(line, "end", status_word(parallel.end));
    line_add_u32(line, "took_us", parallel.took_us);
    reply_send(reply);
}
