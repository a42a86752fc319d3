// SPDX-License-Identifier: MIT
// The command that asks Greengrass discovery for the cores of a thing.
#include "commands_table.h"
#include "connection.h"
#include "console.h"
#include "crc32.h"
#include "discovery.h"
#include "http_reader.h"
#include "net_task.h"
#include "net_work.h"

#include <string.h>

enum {
    BODY_BYTES = 32 * 1024,
    REQUEST_BYTES = 512,
    PIECE_BYTES = 1024,
    RECEIVE_MS = 50,
};

// Filled by the worker, read by the console task after it.
static uint8_t s_body[BODY_BYTES] NET_UNINITIALISED;
static discovery_t s_found;
static http_reader_t s_reader;
static char s_pem[4096];
static char s_fault[96];

static status_t discovery_send(NetworkContext_t *connection, const char *request, size_t length)
{
    while (length > 0u) {
        int32_t sent = connection_send(connection, request, length);
        if (sent <= 0) {
            return sent == 0 ? STATUS_TIMEOUT : STATUS_CLOSED;
        }
        request += sent;
        length -= (size_t)sent;
    }
    return STATUS_OK;
}

static status_t discovery_receive(NetworkContext_t *connection, TickType_t deadline)
{
    uint8_t piece[PIECE_BYTES];
    int outcome = 0;
    http_reader_init(&s_reader, s_body, sizeof s_body);
    while (outcome == 0) {
        int32_t got = connection_receive(connection, piece, sizeof piece);
        if (got < 0) {
            return http_reader_close(&s_reader);
        }
        outcome = http_reader_take(&s_reader, piece, (size_t)got);
        if (outcome == 0 && (int32_t)(deadline - xTaskGetTickCount()) <= 0) {
            return STATUS_TIMEOUT;
        }
    }
    return outcome > 0 ? STATUS_OK : (status_t)outcome;
}

static status_t discovery_exchange(NetworkContext_t *connection, const char *request, size_t length,
                                   uint32_t ms)
{
    TickType_t deadline = xTaskGetTickCount() + kernel_ms_to_ticks(ms);
    status_t status = discovery_send(connection, request, length);
    return status == STATUS_OK ? discovery_receive(connection, deadline) : status;
}

static int discovery_job(void *argument)
{
    const argument_value_t *values = ((const command_call_t *)argument)->values;
    status_t status = STATUS_OK;
    uint32_t ms = (uint32_t)values[ARG_DISCOVERY_GET_MS].number;
    connection_options_t options = {
        .host = values[ARG_DISCOVERY_GET_HOST].text,
        .port = (uint16_t)values[ARG_DISCOVERY_GET_PORT].number,
        .tls = values[ARG_DISCOVERY_GET_TLS].number != 0,
        .alpn = values[ARG_DISCOVERY_GET_ALPN].present ? values[ARG_DISCOVERY_GET_ALPN].text : NULL,
        .connect_timeout_ms = ms,
        .receive_timeout_ms = RECEIVE_MS,
        .send_timeout_ms = ms,
    };
    char request[REQUEST_BYTES];
    int length = discovery_write_request(values[ARG_DISCOVERY_GET_THING].text, options.host,
                                         request, sizeof request);
    memset(&s_found, 0, sizeof s_found);
    s_fault[0] = '\0';
    if (length < 0) {
        return length;
    }
    NetworkContext_t *connection = connection_open(&options, &status);
    strncpy(s_fault, connection == NULL ? connection_fault() : "", sizeof s_fault - 1u);
    if (connection == NULL) {
        return status;
    }
    status = discovery_exchange(connection, request, (size_t)length, ms);
    connection_close(connection);
    if (status == STATUS_OK && s_reader.code == 200u) {
        status = discovery_read(s_body, s_reader.length, &s_found);
    }
    return status;
}

static void discovery_reply_cores(reply_t *reply)
{
    for (size_t i = 0; i < s_found.core_count && i < DISCOVERY_CORES; i++) {
        const discovery_core_t *core = &s_found.cores[i];
        line_t *line = reply_data(reply);
        line_add_text(line, "kind", "core");
        line_add_text(line, "group", core->group);
        line_add_text(line, "id", core->id);
        line_add_text(line, "host", core->host);
        line_add_u32(line, "port", core->port);
        line_add_text(line, "arn", core->thing_arn);
        reply_send(reply);
    }
}

static void discovery_reply_cas(reply_t *reply)
{
    for (size_t i = 0; i < s_found.ca_count && i < DISCOVERY_CAS; i++) {
        int length = json_string(s_found.cas[i], s_pem, sizeof s_pem);
        line_t *line = reply_data(reply);
        line_add_text(line, "kind", "ca");
        line_add_i32(line, "length", length);
        line_add_hex(line, "crc", crc32_update(0, s_pem, length > 0 ? (size_t)length : 0u), 8);
        reply_send(reply);
    }
}

void command_discovery_get(const command_call_t *call, reply_t *reply)
{
    int status = net_work_run(discovery_job, (void *)call);
    if (status != STATUS_OK) {
        reply_error(reply, status_word((status_t)status), s_fault);
        return;
    }
    discovery_reply_cores(reply);
    discovery_reply_cas(reply);
    line_t *line = reply_ok(reply);
    line_add_u32(line, "code", s_reader.code);
    line_add_u32(line, "bytes", (uint32_t)s_reader.length);
    line_add_u32(line, "chunked", s_reader.chunked ? 1 : 0);
    line_add_u32(line, "groups", s_found.groups);
    line_add_u32(line, "cores", s_found.core_count);
    line_add_u32(line, "cas", s_found.ca_count);
    reply_send(reply);
}
