// SPDX-License-Identifier: MIT
// How a connection is made inside: for connection.c and connection_tls.c alone.
#ifndef CONNECTION_INTERNAL_H
#define CONNECTION_INTERNAL_H

#include "connection.h"
#include "net_stack.h"

enum { CONNECTION_COUNT = 4, CONNECTION_FAULT_BYTES = 96 };

struct NetworkContext {
    bool used;
    const net_stack_t *stack; // the one that was up when it was opened
    int32_t handle;           // of that stack
    uint32_t receive_timeout_ms;
    uint32_t send_timeout_ms;
    void *tls; // state of connection_tls.c; NULL: plain TCP
};

// Says why the running task's connection_open failed; keeps the first CONNECTION_FAULT_BYTES - 1
// bytes.
void connection_set_fault(const char *words);

// Milliseconds until the kernel's tick `deadline`; 0 when it is over. Deadlines are made by
// connection_deadline().
uint32_t connection_left_ms(uint32_t deadline);
uint32_t connection_deadline(uint32_t timeout_ms);

// TLS over the connected context; on an error the caller closes the TCP connection.
status_t connection_tls_open(NetworkContext_t *context, const connection_options_t *options,
                             uint32_t deadline);
int32_t connection_tls_send(NetworkContext_t *context, const void *bytes, size_t length);
int32_t connection_tls_receive(NetworkContext_t *context, void *bytes, size_t length);
void connection_tls_close(NetworkContext_t *context); // close_notify; context->tls is NULL after

#endif
