// SPDX-License-Identifier: MIT
#include "ota_http.h"

#include "connection.h"
#include "http_reader.h"
#include "kernel_compat.h"
#include "ota_job.h"
#include "ota_url.h"

#include <string.h>

enum { PIECE_BYTES = 1024, RECEIVE_MS = 50, PARTIAL_CONTENT = 206, HEAD_BYTES = 256 };

static NetworkContext_t *s_connection;
static char s_host[OTA_HOST_BYTES]; // of the connection
static uint16_t s_port;
static http_reader_t s_reader;
static char s_request[OTA_URL_BYTES + HEAD_BYTES];

void ota_http_close(void)
{
    connection_close(s_connection);
    s_connection = NULL;
}

static status_t http_connect(const ota_url_t *url, uint32_t wait_ms)
{
    status_t status = STATUS_OK;
    if (s_connection != NULL && strcmp(s_host, url->host) == 0 && s_port == url->port) {
        return STATUS_OK;
    }
    connection_options_t options = {
        .host = url->host,
        .port = url->port,
        .tls = url->tls,
        .anonymous = true, // who may fetch is said by the URL
        .connect_timeout_ms = wait_ms,
        .receive_timeout_ms = RECEIVE_MS,
        .send_timeout_ms = wait_ms,
    };
    ota_http_close();
    s_connection = connection_open(&options, &status);
    memcpy(s_host, url->host, sizeof s_host);
    s_port = url->port;
    return s_connection != NULL ? STATUS_OK : status;
}

static status_t http_send(const char *bytes, size_t length)
{
    while (length > 0u) {
        int32_t sent = connection_send(s_connection, bytes, length);
        if (sent <= 0) {
            return sent == 0 ? STATUS_TIMEOUT : STATUS_CLOSED;
        }
        bytes += sent;
        length -= (size_t)sent;
    }
    return STATUS_OK;
}

static status_t http_receive(uint8_t *out, uint32_t length, uint32_t wait_ms)
{
    static uint8_t s_piece[PIECE_BYTES];
    TickType_t deadline = xTaskGetTickCount() + kernel_ms_to_ticks(wait_ms);
    int outcome = 0;
    http_reader_init(&s_reader, out, length);
    while (outcome == 0) {
        int32_t got = connection_receive(s_connection, s_piece, sizeof s_piece);
        if (got < 0) {
            return http_reader_close(&s_reader);
        }
        outcome = http_reader_take(&s_reader, s_piece, (size_t)got);
        if (outcome == 0 && (int32_t)(deadline - xTaskGetTickCount()) <= 0) {
            return STATUS_TIMEOUT;
        }
    }
    return outcome > 0 ? STATUS_OK : (status_t)outcome;
}

// What the response was, whose body may have been too long for `out`: a page that says no.
static status_t http_judge(status_t status, uint32_t first, uint32_t length)
{
    bool said = s_reader.code >= 200u;
    if (said && s_reader.code != PARTIAL_CONTENT) {
        return STATUS_REFUSED;
    }
    bool asked = s_reader.length == length && s_reader.has_range && s_reader.first == first;
    if (status == STATUS_OK && !asked) {
        return STATUS_SYNTAX;
    }
    return status;
}

status_t ota_http_fetch(const char *text, uint32_t first, uint32_t length, uint8_t *out,
                        uint32_t *code, uint32_t wait_ms)
{
    ota_url_t url;
    *code = 0;
    status_t status = ota_url_read(text, &url);
    int count = status == STATUS_OK
                    ? ota_url_request(&url, first, first + length - 1u, s_request, sizeof s_request)
                    : (int)status;
    if (count < 0) {
        return (status_t)count;
    }
    status = http_connect(&url, wait_ms);
    status = status == STATUS_OK ? http_send(s_request, (size_t)count) : status;
    if (status == STATUS_OK) {
        status = http_judge(http_receive(out, length, wait_ms), first, length);
        *code = s_reader.code;
    }
    if (status != STATUS_OK) {
        ota_http_close();
    }
    return status;
}
