// SPDX-License-Identifier: MIT
// Overwrites what held a secret, whatever the compiler thinks of writes that nobody reads. mbedTLS
// has the same, but calls through a pointer, and the console's stack must have a bound.
#ifndef WIPE_H
#define WIPE_H

#include <stddef.h>
#include <stdint.h>

static inline void wipe(void *bytes, size_t length)
{
    volatile uint8_t *at = bytes;
    while (length-- > 0u) {
        *at++ = 0;
    }
}

#endif
