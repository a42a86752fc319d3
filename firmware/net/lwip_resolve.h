// SPDX-License-Identifier: MIT
// Host names over lwIP's DNS client, and ping: what a socket needs not, but a person.
#ifndef LWIP_RESOLVE_H
#define LWIP_RESOLVE_H

#include "status.h"

#include <stdint.h>

// As resolve of net_stack_t. Without the lock.
status_t lwip_resolve(const char *host, uint8_t address[4], uint32_t timeout_ms);

// Ends what waits for an answer: nobody will come. Under the lock.
void lwip_resolve_abort_all(void);

// Sends one echo request of `length` bytes of data to the address and waits for its answer;
// *microseconds is how long that took. STATUS_TIMEOUT; STATUS_ABSENT: cannot be sent. From one task
// at a time, without the lock.
status_t lwip_ping(const uint8_t address[4], uint16_t length, uint32_t timeout_ms,
                   uint32_t *microseconds);

#endif
