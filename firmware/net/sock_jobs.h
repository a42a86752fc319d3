// SPDX-License-Identifier: MIT
// What the commands sock.* do with a connection: pure dialogue over a net_stack_t, with payloads
// that are hexadecimal or a pattern (pattern.h). Each call is one job and blocks its task.
#ifndef SOCK_JOBS_H
#define SOCK_JOBS_H

#include "hex.h"
#include "net_stack.h"
#include "sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SOCK_CHUNK_BYTES = 1460 };

// A transfer over one connection: what is wanted, and what came of it.
typedef struct {
    const net_stack_t *stack;
    int32_t handle;
    const uint8_t *bytes; // to send; NULL: the pattern
    uint32_t length;
    uint32_t seed;
    uint32_t chunk; // most bytes of one call
    uint32_t timeout_ms;
    bool once; // receive: what one call gives is enough

    uint32_t sent, received;
    uint32_t same; // received bytes that are those of the pattern, up to the first that is not
    status_t end;  // why it ended; STATUS_OK: all was done
    uint32_t took_us, took_ticks;
    uint8_t first[HEX_MOST_BYTES]; // of what was received
    uint8_t digest[SHA256_BYTES];  // of all of it
} sock_transfer_t;

// Sends `length` bytes: all of them, or until an error or the time-out.
int sock_job_send(void *transfer);

// Receives `length` bytes, likewise; the digest is of what came.
int sock_job_receive(void *transfer);

// Sends the pattern and receives meanwhile what an echo service sends back, until `length` bytes
// came.
int sock_job_echo(void *transfer);

// A moment, for took_us: microseconds, wrapping at 2^32.
uint32_t sock_now_us(void);

#endif
