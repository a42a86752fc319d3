// SPDX-License-Identifier: MIT
// A connection to a service: TCP, or TLS over it. The one way by which the firmware's clients reach
// a server; it knows no endpoint of its own. Blocks at most for the times given; one task at a time
// uses a connection, but one may send while another receives.
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>

#include "status.h"
#include "transport_interface.h"

typedef struct {
    const char *host; // name or dotted number; under TLS the certificate must be for this name
    uint16_t port;
    bool tls;
    const char
        *server_name; // TLS: the name that is sent (SNI) and checked instead of host; NULL: host
    const char *alpn; // TLS: the one protocol offered, such as "x-amzn-mqtt-ca"; NULL: none
    bool anonymous;   // TLS: shows no certificate of its own
    const char *identity; // TLS: whose certificate it shows (credentials.h); NULL: the board's own
    bool resume;          // TLS: offers the session of the last connection to this host
    uint32_t connect_timeout_ms; // for the whole of connection_open: name, TCP and handshake
    uint32_t receive_timeout_ms; // for one call of connection_receive; 0: does not wait
    uint32_t send_timeout_ms;
} connection_options_t;

// Opens a connection. NULL with *status set when it cannot: STATUS_REFUSED, STATUS_TIMEOUT,
// STATUS_UNKNOWN (no such name), STATUS_ABSENT (no network), STATUS_RANGE (too many open),
// STATUS_TLS (the handshake failed: connection_fault() says why in words, such as "certificate:
// name").
NetworkContext_t *connection_open(const connection_options_t *options, status_t *status);

// Why the last connection_open of this task's failed, in words for a person; "" if it did not.
const char *connection_fault(void);

// As TransportSend_t, TransportRecv_t and TransportWritev_t promise; NULL and 0 bytes are refused,
// also as one piece of several: then nothing is sent.
int32_t connection_send(NetworkContext_t *context, const void *bytes, size_t length);
int32_t connection_receive(NetworkContext_t *context, void *bytes, size_t length);
int32_t connection_writev(NetworkContext_t *context, TransportOutVector_t *pieces, size_t count);

// Changes how long a receive waits.
void connection_set_receive_timeout(NetworkContext_t *context, uint32_t timeout_ms);

// Ends a connection (TLS: with close_notify); NULL does nothing.
void connection_close(NetworkContext_t *context);

// The transport of a connection, for a client of coreMQTT's or coreHTTP's shape.
TransportInterface_t connection_transport(NetworkContext_t *context);

#endif
