// SPDX-License-Identifier: MIT
// Work that can be proven: a number that is stepped on and on, and where it must stand after any
// number of steps, told without stepping. Pure.
#ifndef METRIC_WORK_H
#define METRIC_WORK_H

#include <stdint.h>

// One step of a linear congruential generator (multiplier and increment of D. Knuth's MMIX, cut to
// 32 bits: odd increment and a multiplier of 4k + 1, so that the period is 2^32).
static inline uint32_t metric_step(uint32_t state)
{
    return state * 0x4C957F2Du + 0xF767814Fu;
}

// `state` after `steps` steps, one after the other.
uint32_t metric_work(uint32_t state, uint32_t steps);

// The same by squaring, in at most 64 multiplications.
uint32_t metric_jump(uint32_t state, uint64_t steps);

#endif
