// SPDX-License-Identifier: MIT
// Kernel calls whose critical sections are looked at from an interrupt: one of each kind.
#ifndef BENCH_CALLS_H
#define BENCH_CALLS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    void (*call)(void);
    bool (*undo)(void); // whether the call did what it says; leaves things as before
} bench_call_t;

// Makes the kernel objects that the calls are about, and lets them go. From the bench task.
void bench_calls_prepare(void);
void bench_calls_end(void);

// Call `index`, counted from 0; behind the last one they begin again. 0 where this kernel lacks it.
const bench_call_t *bench_call(uint32_t index);

#endif
