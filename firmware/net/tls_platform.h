// SPDX-License-Identifier: MIT
// What mbedTLS stands on here: its memory, its mutexes, its random numbers and its clock. Ready
// after tls_platform_init(), which every user calls first; from any task.
#ifndef TLS_PLATFORM_H
#define TLS_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "status.h"

enum { TLS_POOL_BYTES = 320 * 1024 };

typedef struct {
    size_t size;   // of the pool
    size_t used;   // bytes in use now, without the pool's own headers
    size_t peak;   // the most that were in use since the last tls_memory_forget_peak()
    size_t blocks; // in use now
} tls_memory_t;

// Prepares memory, mutexes and random numbers once; later calls only say whether that went well.
// STATUS_ABSENT: there is no source of entropy, not even a seed.
status_t tls_platform_init(void);

// What the pool holds.
void tls_memory(tls_memory_t *memory);
void tls_memory_forget_peak(void);

// Random bytes, in the form in which mbedTLS asks for them; `unused` is NULL. 0, or below 0 an
// error of mbedTLS's.
int tls_random(void *unused, unsigned char *bytes, size_t length);

// Where random numbers come from: true where hardware makes them (platform_entropy), false where
// they grow from a seed that can be guessed, which is not for production.
bool tls_entropy_is_real(void);

// Whether the wall clock was set; without it no certificate's dates can be checked.
bool tls_clock_is_set(void);

#endif
