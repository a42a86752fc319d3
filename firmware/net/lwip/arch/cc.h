// SPDX-License-Identifier: MIT
// What lwIP asks of compiler and system: a failed assertion of its own is a crash of the firmware.
#ifndef LWIP_ARCH_CC_H
#define LWIP_ARCH_CC_H

#include <stdint.h>
#include <stdlib.h>

__attribute__((noinline, noreturn)) void crash_from_assert(const void *caller);
uint32_t net_random(void);

#define LWIP_PLATFORM_ASSERT(words) crash_from_assert(__builtin_return_address(0))
#define LWIP_PLATFORM_DIAG(words)                                                                  \
    do {                                                                                           \
    } while (0)
#define LWIP_RAND()     net_random()
#define LWIP_NO_CTYPE_H 1
#define BYTE_ORDER      LITTLE_ENDIAN

#endif
