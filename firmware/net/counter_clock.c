// SPDX-License-Identifier: MIT
#include "counter_clock.h"

#include "bench.h"
#include "platform.h"

enum { COUNTS_OF_MS = PLATFORM_COUNTER_HZ / 1000 };

uint32_t counter_clock_ms(counter_clock_t *clock)
{
    uint32_t count = *bench_counter();
    clock->rest += (count - clock->last) % COUNTS_OF_MS;
    clock->now_ms += (count - clock->last) / COUNTS_OF_MS + clock->rest / COUNTS_OF_MS;
    clock->rest %= COUNTS_OF_MS;
    clock->last = count;
    return clock->now_ms;
}
