// SPDX-License-Identifier: MIT
// A mutex that nobody has to make first: a static one, all zeros, is ready. From tasks.
#ifndef NET_MUTEX_H
#define NET_MUTEX_H

#include "kernel_compat.h"

typedef struct {
    SemaphoreHandle_t handle; // NULL until it is taken for the first time
    StaticSemaphore_t memory;
} net_mutex_t;

// Waits until it is free and takes it; the same task gives it back.
void net_mutex_take(net_mutex_t *mutex);
void net_mutex_give(net_mutex_t *mutex);

#endif
