// SPDX-License-Identifier: MIT
// TCP connections over lwIP's raw API: the net_stack_t of the interface `ethernet`. Any task may
// use any handle; one may send while another receives. A handle is never used twice.
#ifndef LWIP_SOCKET_H
#define LWIP_SOCKET_H

#include "net_stack.h"
#include "socket_limits.h"

extern const net_stack_t g_lwip_stack;

// Ends all connections and lets their handles go; who waits for one comes back with STATUS_CLOSED.
// Under the lock.
void lwip_socket_abort_all(void);

// Nagle's algorithm, off at first, holds small pieces back until what was sent is acknowledged;
// keep-alive probes an idle connection. STATUS_VALUE: no such handle.
status_t lwip_socket_set_nagle(int32_t handle, bool on);
status_t lwip_socket_set_keepalive(int32_t handle, uint32_t idle_ms);

// What is known of the connection in place `index`, 0 to SOCKET_COUNT - 1; false: none.
typedef struct {
    int32_t handle;
    const char *state; // as TCP names it, "closed" when the connection is gone
    uint8_t peer[4];
    uint16_t peer_port, own_port;
    uint32_t waiting; // bytes received and not fetched
} lwip_socket_facts_t;

bool lwip_socket_facts(size_t index, lwip_socket_facts_t *facts);

#endif
