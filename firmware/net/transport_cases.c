// SPDX-License-Identifier: MIT
#include "transport_cases.h"

#include "connection_internal.h"
#include "pattern.h"

#include <string.h>

enum { VECTORS = 4 };

static int32_t case_took(transport_case_t *it, int32_t value)
{
    it->value = value;
    it->calls++;
    it->zeros += value == 0;
    return value;
}

static int32_t case_send(transport_case_t *it, NetworkContext_t *context, const void *bytes,
                         size_t length)
{
    return case_took(it, it->transport.send(context, bytes, length));
}

static int32_t case_receive(transport_case_t *it, NetworkContext_t *context, void *bytes,
                            size_t length)
{
    return case_took(it, it->transport.recv(context, bytes, length));
}

static int32_t case_writev(transport_case_t *it, NetworkContext_t *context,
                           TransportOutVector_t *vectors, size_t count)
{
    return case_took(it, it->transport.writev(context, vectors, count));
}

// ---- wrong arguments ---------------------------------------------------------------------------

static void case_send_null_context(transport_case_t *it)
{
    (void)case_send(it, NULL, it->buffer, 1);
}

static void case_send_null_buffer(transport_case_t *it)
{
    (void)case_send(it, it->transport.pNetworkContext, NULL, 1);
}

static void case_send_zero(transport_case_t *it)
{
    (void)case_send(it, it->transport.pNetworkContext, it->buffer, 0);
}

static void case_receive_null_context(transport_case_t *it)
{
    (void)case_receive(it, NULL, it->buffer, 1);
}

static void case_receive_null_buffer(transport_case_t *it)
{
    (void)case_receive(it, it->transport.pNetworkContext, NULL, 1);
}

static void case_receive_zero(transport_case_t *it)
{
    (void)case_receive(it, it->transport.pNetworkContext, it->buffer, 0);
}

static void case_writev_null_context(transport_case_t *it)
{
    TransportOutVector_t vector = {it->buffer, 1};
    (void)case_writev(it, NULL, &vector, 1);
}

static void case_writev_null_buffer(transport_case_t *it)
{
    (void)case_writev(it, it->transport.pNetworkContext, NULL, 1);
}

static void case_writev_zero(transport_case_t *it)
{
    TransportOutVector_t vector = {it->buffer, 1};
    (void)case_writev(it, it->transport.pNetworkContext, &vector, 0);
}

// The wrong one is the last of three: nothing of the others may go before the call is refused.
static void case_writev_one_null(transport_case_t *it)
{
    TransportOutVector_t vectors[] = {{it->buffer, 1}, {it->buffer, 1}, {NULL, 1}};
    (void)case_writev(it, it->transport.pNetworkContext, vectors, 3);
}

static void case_writev_one_empty(transport_case_t *it)
{
    TransportOutVector_t vectors[] = {{it->buffer, 1}, {it->buffer, 1}, {it->buffer, 0}};
    (void)case_writev(it, it->transport.pNetworkContext, vectors, 3);
}

// ---- bytes there and back ----------------------------------------------------------------------

// Sends one piece of `bytes`; what send() is told at once is at most `chunk`.
static int32_t case_send_piece(transport_case_t *it, const uint8_t *bytes, size_t left,
                               size_t chunk)
{
    return it->transport.send(it->transport.pNetworkContext, bytes, left < chunk ? left : chunk);
}

// The same by writev(), as several vectors of `chunk` bytes, or of parts of unequal length.
static int32_t case_writev_piece(transport_case_t *it, const uint8_t *bytes, size_t left,
                                 size_t chunk)
{
    TransportOutVector_t vectors[VECTORS];
    size_t count = 0;
    for (size_t at = 0; at < left && count < VECTORS; count++) {
        size_t share = chunk == 1u ? 1u : (left - at + 1u) / 2u;
        share = count + 1u == VECTORS && chunk != 1u ? left - at : share;
        vectors[count] = (TransportOutVector_t){bytes + at, share};
        at += share;
    }
    return it->transport.writev(it->transport.pNetworkContext, vectors, count);
}

typedef int32_t (*case_piece_t)(transport_case_t *it, const uint8_t *bytes, size_t left,
                                size_t chunk);

static bool case_send_all(transport_case_t *it, case_piece_t piece, size_t chunk, uint32_t deadline)
{
    pattern_fill(it->seed, 0, it->buffer, it->length);
    while (it->sent < it->length && connection_left_ms(deadline) != 0u) {
        int32_t taken =
            case_took(it, piece(it, it->buffer + it->sent, it->length - it->sent, chunk));
        if (taken < 0) {
            return false;
        }
        it->sent += (uint32_t)taken;
    }
    return it->sent == it->length;
}

static void case_receive_all(transport_case_t *it, size_t chunk, uint32_t deadline)
{
    memset(it->buffer, 0, it->length);
    while (it->received < it->length && connection_left_ms(deadline) != 0u) {
        size_t left = it->length - it->received;
        int32_t got = case_receive(it, it->transport.pNetworkContext, it->buffer + it->received,
                                   left < chunk ? left : chunk);
        if (got < 0 || (size_t)got > left) {
            break;
        }
        it->received += (uint32_t)got;
    }
    it->same = (uint32_t)pattern_match(it->seed, 0, it->buffer, it->received);
}

static void case_exchange(transport_case_t *it, case_piece_t piece, size_t send_chunk,
                          size_t receive_chunk)
{
    uint32_t deadline = connection_deadline(it->timeout_ms);
    if (case_send_all(it, piece, send_chunk, deadline)) {
        case_receive_all(it, receive_chunk, deadline);
    }
}

static void case_compare(transport_case_t *it)
{
    case_exchange(it, case_send_piece, it->length, it->length);
}

static void case_compare_send_one(transport_case_t *it)
{
    case_exchange(it, case_send_piece, 1, it->length);
}

static void case_compare_receive_one(transport_case_t *it)
{
    case_exchange(it, case_send_piece, it->length, 1);
}

static void case_compare_writev(transport_case_t *it)
{
    case_exchange(it, case_writev_piece, it->length, it->length);
}

static void case_compare_writev_one(transport_case_t *it)
{
    case_exchange(it, case_writev_piece, 1, it->length);
}

// ---- a silent side, a side that goes -----------------------------------------------------------

static void case_receive_nothing(transport_case_t *it)
{
    (void)case_receive(it, it->transport.pNetworkContext, it->buffer, 1);
}

// Nothing is there; then it is sent for, and asked for again until it comes.
static void case_receive_retry(transport_case_t *it)
{
    (void)case_receive(it, it->transport.pNetworkContext, it->buffer, it->length);
    if (it->value == 0) {
        case_exchange(it, case_send_piece, it->length, it->length);
    }
}

// The server ends the connection at the first byte. What is asked for then comes to an error.
static void case_after_disconnect(transport_case_t *it,
                                  int32_t (*again)(transport_case_t *it,
                                                   TransportOutVector_t *piece))
{
    uint32_t deadline = connection_deadline(it->timeout_ms);
    TransportOutVector_t piece = {it->buffer, 1};
    it->sent = (uint32_t)it->transport.send(it->transport.pNetworkContext, it->buffer, 1);
    do {
        (void)case_took(it, again(it, &piece));
    } while (it->value >= 0 && connection_left_ms(deadline) != 0u);
}

static int32_t case_again_send(transport_case_t *it, TransportOutVector_t *piece)
{
    uint8_t byte;
    int32_t value = it->transport.send(it->transport.pNetworkContext, piece->iov_base, 1);
    (void)it->transport.recv(it->transport.pNetworkContext, &byte, 1); // lets the end arrive
    return value;
}

static int32_t case_again_receive(transport_case_t *it, TransportOutVector_t *piece)
{
    (void)piece;
    return it->transport.recv(it->transport.pNetworkContext, it->buffer, 1);
}

static int32_t case_again_writev(transport_case_t *it, TransportOutVector_t *piece)
{
    uint8_t byte;
    int32_t value = it->transport.writev(it->transport.pNetworkContext, piece, 1);
    (void)it->transport.recv(it->transport.pNetworkContext, &byte, 1);
    return value;
}

static void case_send_disconnect(transport_case_t *it)
{
    case_after_disconnect(it, case_again_send);
}

static void case_receive_disconnect(transport_case_t *it)
{
    case_after_disconnect(it, case_again_receive);
}

static void case_writev_disconnect(transport_case_t *it)
{
    case_after_disconnect(it, case_again_writev);
}

static const transport_row_t s_rows[] = {
    {"send.null.context", case_send_null_context},
    {"send.null.buffer", case_send_null_buffer},
    {"send.zero", case_send_zero},
    {"send.disconnect", case_send_disconnect},
    {"receive.null.context", case_receive_null_context},
    {"receive.null.buffer", case_receive_null_buffer},
    {"receive.zero", case_receive_zero},
    {"receive.nothing", case_receive_nothing},
    {"receive.retry", case_receive_retry},
    {"receive.disconnect", case_receive_disconnect},
    {"writev.null.context", case_writev_null_context},
    {"writev.null.buffer", case_writev_null_buffer},
    {"writev.zero", case_writev_zero},
    {"writev.one.null", case_writev_one_null},
    {"writev.one.empty", case_writev_one_empty},
    {"writev.disconnect", case_writev_disconnect},
    {"compare", case_compare},
    {"compare.send.one", case_compare_send_one},
    {"compare.receive.one", case_compare_receive_one},
    {"compare.writev", case_compare_writev},
    {"compare.writev.one", case_compare_writev_one},
};

const transport_row_t *transport_case_find(const char *name)
{
    for (size_t i = 0; i < sizeof s_rows / sizeof s_rows[0]; i++) {
        if (strcmp(s_rows[i].name, name) == 0) {
            return &s_rows[i];
        }
    }
    return NULL;
}
