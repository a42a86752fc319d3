// SPDX-License-Identifier: MIT
// Samples as a reply: data lines with the fields `o` (the first sample's number) and `s`
// (series.h), and an ok line with `count`.
#ifndef REPLY_SERIES_H
#define REPLY_SERIES_H

#include "reply.h"

// Sends samples[offset .. offset + count), as far as there are `taken` of them, and the last line.
void reply_series(reply_t *reply, const uint32_t *samples, uint32_t taken, uint32_t offset,
                  uint32_t count);

#endif
