// SPDX-License-Identifier: MIT
#include "connection_internal.h"

#include "kernel_compat.h"

#include <string.h>

enum { FAULT_TASKS = 4 };

// Why the last open of a task failed. A task that has no row takes the one that was taken longest
// ago.
typedef struct {
    TaskHandle_t task;
    char words[CONNECTION_FAULT_BYTES];
} fault_t;

static struct NetworkContext s_contexts[CONNECTION_COUNT];
static fault_t s_faults[FAULT_TASKS];
static size_t s_next_fault;

// ---- faults and deadlines ----------------------------------------------------------------------

static fault_t *connection_fault_row(bool make)
{
    TaskHandle_t task = xTaskGetCurrentTaskHandle();
    for (size_t i = 0; i < FAULT_TASKS; i++) {
        if (s_faults[i].task == task) {
            return &s_faults[i];
        }
    }
    if (!make) {
        return NULL;
    }
    taskENTER_CRITICAL();
    fault_t *row = &s_faults[s_next_fault++ % FAULT_TASKS];
    row->task = task;
    taskEXIT_CRITICAL();
    return row;
}

void connection_set_fault(const char *words)
{
    fault_t *row = connection_fault_row(true);
    strncpy(row->words, words, sizeof row->words - 1u);
    row->words[sizeof row->words - 1u] = '\0';
}

const char *connection_fault(void)
{
    const fault_t *row = connection_fault_row(false);
    return row != NULL ? row->words : "";
}

uint32_t connection_deadline(uint32_t timeout_ms)
{
    return xTaskGetTickCount() + kernel_ms_to_ticks(timeout_ms);
}

uint32_t connection_left_ms(uint32_t deadline)
{
    int32_t left = (int32_t)(deadline - xTaskGetTickCount());
    return left > 0 ? (uint32_t)left * (1000u / configTICK_RATE_HZ) : 0u;
}

// ---- opening and closing -----------------------------------------------------------------------

static NetworkContext_t *connection_take(void)
{
    NetworkContext_t *taken = NULL;
    taskENTER_CRITICAL();
    for (size_t i = 0; i < CONNECTION_COUNT && taken == NULL; i++) {
        if (!s_contexts[i].used) {
            taken = &s_contexts[i];
            taken->used = true;
        }
    }
    taskEXIT_CRITICAL();
    return taken;
}

static status_t connection_connect(NetworkContext_t *context, const connection_options_t *options)
{
    uint32_t deadline = connection_deadline(options->connect_timeout_ms);
    int32_t handle =
        context->stack->connect(options->host, options->port, options->connect_timeout_ms);
    if (handle < 0) {
        return (status_t)handle;
    }
    context->handle = handle;
    status_t status = options->tls ? connection_tls_open(context, options, deadline) : STATUS_OK;
    if (status != STATUS_OK) {
        (void)context->stack->close(handle);
    }
    return status;
}

NetworkContext_t *connection_open(const connection_options_t *options, status_t *status)
{
    connection_set_fault("");
    NetworkContext_t *context = net_stack() != NULL ? connection_take() : NULL;
    if (context == NULL) {
        *status = net_stack() != NULL ? STATUS_RANGE : STATUS_ABSENT;
        connection_set_fault(*status == STATUS_RANGE ? "too many connections" : "no network");
        return NULL;
    }
    *context = (struct NetworkContext){
        .used = true,
        .stack = net_stack(),
        .receive_timeout_ms = options->receive_timeout_ms,
        .send_timeout_ms = options->send_timeout_ms,
    };
    *status = connection_connect(context, options);
    if (*status == STATUS_OK) {
        return context;
    }
    if (connection_fault()[0] == '\0') {
        connection_set_fault(status_word(*status));
    }
    context->used = false;
    return NULL;
}

void connection_close(NetworkContext_t *context)
{
    if (context == NULL || !context->used) {
        return;
    }
    if (context->tls != NULL) {
        connection_tls_close(context);
    }
    (void)context->stack->close(context->handle);
    context->used = false;
}

void connection_set_receive_timeout(NetworkContext_t *context, uint32_t timeout_ms)
{
    context->receive_timeout_ms = timeout_ms;
}

// ---- transport ---------------------------------------------------------------------------------

static bool connection_is_wrong(const NetworkContext_t *context, const void *bytes, size_t length)
{
    return context == NULL || !context->used || bytes == NULL || length == 0u;
}

int32_t connection_send(NetworkContext_t *context, const void *bytes, size_t length)
{
    if (connection_is_wrong(context, bytes, length)) {
        return STATUS_VALUE;
    }
    if (context->tls != NULL) {
        return connection_tls_send(context, bytes, length);
    }
    return context->stack->send(context->handle, bytes, length, context->send_timeout_ms);
}

int32_t connection_receive(NetworkContext_t *context, void *bytes, size_t length)
{
    if (connection_is_wrong(context, bytes, length)) {
        return STATUS_VALUE;
    }
    if (context->tls != NULL) {
        return connection_tls_receive(context, bytes, length);
    }
    return context->stack->receive(context->handle, bytes, length, context->receive_timeout_ms);
}

// Whether a piece is missing or empty: then nothing of the others goes either.
static bool connection_is_wrong_piece(const TransportOutVector_t *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].iov_base == NULL || pieces[i].iov_len == 0u) {
            return true;
        }
    }
    return false;
}

int32_t connection_writev(NetworkContext_t *context, TransportOutVector_t *pieces, size_t count)
{
    int32_t sent = 0;
    if (connection_is_wrong(context, pieces, count) || connection_is_wrong_piece(pieces, count)) {
        return STATUS_VALUE;
    }
    for (size_t i = 0; i < count; i++) {
        int32_t taken = connection_send(context, pieces[i].iov_base, pieces[i].iov_len);
        if (taken < 0) {
            return sent > 0 ? sent : taken;
        }
        sent += taken;
        if ((size_t)taken < pieces[i].iov_len) {
            break;
        }
    }
    return sent;
}

TransportInterface_t connection_transport(NetworkContext_t *context)
{
    return (TransportInterface_t){.recv = connection_receive,
                                  .send = connection_send,
                                  .writev = connection_writev,
                                  .pNetworkContext = context};
}
