// SPDX-License-Identifier: MIT
// Milliseconds by the free-running counter and not by the tick, of which a loaded emulator loses
// some: for what the other side of a network counts in true seconds. One owner each.
#ifndef COUNTER_CLOCK_H
#define COUNTER_CLOCK_H

#include <stdint.h>

// All 0: it begins at the counter's own 0, which is the reset.
typedef struct {
    uint32_t last, rest, now_ms;
} counter_clock_t;

// The time now; wraps. What passes while nobody asks, beyond the counter's range, is lost.
uint32_t counter_clock_ms(counter_clock_t *clock);

#endif
