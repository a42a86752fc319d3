// SPDX-License-Identifier: MIT
// What is brought over the console in pieces, such as a certificate: one buffer, filled from its
// start without gaps. From the console task.
#ifndef STAGING_H
#define STAGING_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

enum { STAGING_BYTES = 4096 };

// Puts a piece at `offset`; 0 begins anew. STATUS_RANGE: it leaves a gap. STATUS_SPACE: it does not
// fit; what was there stays.
status_t staging_put(size_t offset, const uint8_t *bytes, size_t length);

// What is there, from its start.
const uint8_t *staging_bytes(size_t *length);

void staging_clear(void);

#endif
