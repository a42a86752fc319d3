// SPDX-License-Identifier: MIT
// What mbedTLS takes for a mutex: the kernel's, allocated where mbedTLS has it. Only mbedTLS
// includes this; tls_platform.c fills the functions.
#ifndef THREADING_ALT_H
#define THREADING_ALT_H

#include "kernel_compat.h"

typedef struct {
    SemaphoreHandle_t handle; // NULL: not initialised, or freed
    StaticSemaphore_t memory;
} mbedtls_threading_mutex_t;

#endif
