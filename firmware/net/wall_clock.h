// SPDX-License-Identifier: MIT
// The time of day, for certificates' dates and messages: set from outside, then counted by the
// kernel's tick. Any task.
#ifndef WALL_CLOCK_H
#define WALL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

// Sets it to seconds since 1970-01-01 00:00 UTC.
void wall_clock_set(uint32_t epoch_s);

// Whether it was set since the reset; if so, *epoch_s and the milliseconds within that second.
bool wall_clock_get(uint32_t *epoch_s, uint32_t *milliseconds);

#endif
