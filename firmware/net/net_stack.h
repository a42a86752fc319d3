// SPDX-License-Identifier: MIT
// A TCP/IP stack as the firmware's connections use it: lwIP over Ethernet, or a Wi-Fi module that
// has its own. One of them is up at a time; net_stack() says which. Every call blocks its task at
// most for the time given and may be made from any task but an interrupt. Returns: above 0 a count,
// 0 nothing yet, below 0 a status_t.
#ifndef NET_STACK_H
#define NET_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

typedef struct {
    const char *name; // "ethernet", "wifi"

    // IPv4 address of a host name or of a dotted number, most significant byte first in `address`.
    // STATUS_UNKNOWN: no such name. STATUS_TIMEOUT: nobody answered.
    status_t (*resolve)(const char *host, uint8_t address[4], uint32_t timeout_ms);

    // A new TCP connection, as a handle of 0 or more. STATUS_REFUSED, STATUS_TIMEOUT,
    // STATUS_UNKNOWN (name), STATUS_RANGE (no handle is free), STATUS_ABSENT (the link is down).
    int32_t (*connect)(const char *host, uint16_t port, uint32_t timeout_ms);

    // Sends at most `length` bytes and returns how many were taken; 0: none within the time.
    // STATUS_CLOSED: the connection is gone.
    int32_t (*send)(int32_t handle, const void *bytes, size_t length, uint32_t timeout_ms);

    // Receives at most `length` bytes; 0: none came within the time. STATUS_CLOSED: the peer has
    // closed, and all it sent was read.
    int32_t (*receive)(int32_t handle, void *bytes, size_t length, uint32_t timeout_ms);

    // Ends sending, receiving, or both, without letting the handle go.
    status_t (*shutdown)(int32_t handle, bool receiving, bool sending);

    // Ends the connection and lets the handle go; a handle that is not open is STATUS_VALUE.
    status_t (*close)(int32_t handle);
} net_stack_t;

// The stack that is up, or NULL.
const net_stack_t *net_stack(void);

#endif
