// SPDX-License-Identifier: MIT
// What the parts of a handshake cost this core: one operation at a time, by the board's counter.
#ifndef TLS_SPEED_H
#define TLS_SPEED_H

#include <stdint.h>

#include "status.h"

typedef struct {
    uint32_t ticks; // of the counter, all rounds together
    uint32_t peak;  // most bytes of the pool in use meanwhile, above those in use before
} tls_speed_t;

// Runs an operation `rounds` times: "keypair", "shared", "sign", "verify" on P-256, "gcm", "chacha"
// over 1 KiB. Random numbers are fixed, so that the same build costs the same each time.
// STATUS_UNKNOWN: no such operation. Needs tls_platform_init() and 8 KiB of stack.
status_t tls_speed_run(const char *operation, uint32_t rounds, tls_speed_t *speed);

#endif
