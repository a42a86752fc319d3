// SPDX-License-Identifier: MIT
// The network as a whole: which interface is up. Up and down come from the worker (net_work.h), one
// at a time; net_stack() (in net_stack.h) may be asked by any task.
#ifndef NET_H
#define NET_H

#include "net_stack.h"

// What an interface has learned of its network; zeros where it has not. Most significant byte
// first.
typedef struct {
    uint8_t address[4], mask[4], gateway[4], dns[4], mac[6];
    uint32_t lease_ms; // how long DHCP gave the address for
} net_address_t;

// A way to a network. One is up at a time.
typedef struct {
    const net_stack_t *stack; // its name is the interface's

    // Brings it up until it has an address. STATUS_TIMEOUT, STATUS_ABSENT (no hardware, or no
    // link within the time), STATUS_REFUSED. After an error nothing of it runs.
    status_t (*up)(uint32_t timeout_ms);

    // Ends it and every connection over it: no task, timer or interrupt of it is left.
    void (*down)(void);

    // Fills *address in, while it is up.
    void (*describe)(net_address_t *address);

    // One echo request of `length` bytes of data and its answer; *microseconds is what that took.
    // STATUS_TIMEOUT; STATUS_ABSENT: cannot be sent. NULL: it has no ping.
    status_t (*ping)(const uint8_t address[4], uint16_t length, uint32_t timeout_ms,
                     uint32_t *microseconds);

    // Whether it can carry data now (cable in, access point joined).
    bool (*has_link)(void);
} net_interface_t;

// Brings the interface `name` up. STATUS_UNKNOWN: no such interface in this image; STATUS_OK also
// if it is up already; another one that is up goes down first.
status_t net_up(const char *name, uint32_t timeout_ms);

// Ends the network. Nothing happens if none is up.
void net_down(void);

// An address as people write it, such as "10.0.2.15".
enum { NET_ADDRESS_TEXT_BYTES = 16 };
void net_format_address(const uint8_t address[4], char text[NET_ADDRESS_TEXT_BYTES]);

// The interface that is up, or NULL.
const net_interface_t *net_interface(void);

#endif
