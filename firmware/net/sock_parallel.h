// SPDX-License-Identifier: MIT
// Several tasks at sockets at once: each with a connection of its own, or two on one, of which one
// sends and one receives. The tasks are made for the call and are gone after it.
#ifndef SOCK_PARALLEL_H
#define SOCK_PARALLEL_H

#include "net_stack.h"

#include <stdbool.h>
#include <stdint.h>

enum { SOCK_PARALLEL_TASKS = 4 };

typedef struct {
    const char *host;
    uint16_t port;
    uint32_t tasks;  // connections, 1 to SOCK_PARALLEL_TASKS; with `shared` one, whatever this says
    bool shared;     // two tasks on one connection
    uint32_t length; // bytes that each connection sends and gets back
    uint32_t seed;   // of the first connection; one more for each further one
    uint32_t timeout_ms;

    uint32_t whole; // connections that got all their bytes back, as they were
    uint32_t same;  // such bytes in all
    status_t end;   // the first error, or STATUS_OK
    uint32_t took_us;
} sock_parallel_t;

// The job: returns when all tasks are done.
int sock_job_parallel(void *parallel);

#endif
