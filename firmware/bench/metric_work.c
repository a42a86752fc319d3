// SPDX-License-Identifier: MIT
#include "metric_work.h"

__attribute__((noinline)) uint32_t metric_work(uint32_t state, uint32_t steps)
{
    for (uint32_t i = 0; i < steps; i++) {
        state = metric_step(state);
    }
    return state;
}

// A step is x -> a x + c; two of them are x -> a^2 x + (a + 1) c, and so on.
uint32_t metric_jump(uint32_t state, uint64_t steps)
{
    uint32_t c = metric_step(0);
    uint32_t a = metric_step(1) - c;
    for (; steps != 0u; steps >>= 1) {
        if ((steps & 1u) != 0u) {
            state = state * a + c;
        }
        c *= a + 1u;
        a *= a;
    }
    return state;
}
