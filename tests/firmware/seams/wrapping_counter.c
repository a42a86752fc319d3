// SPDX-License-Identifier: MIT
// Linked into a test build with --wrap=bench_keep: behind every sample the counter is set so that
// it wraps within the next one, at another place each time. The mps2's counter can be written.
#include "bench.h"

enum { SPREAD = 96 };

uint32_t g_test_wrapped; // samples whose end lay below their begin; read through the probe

void __real_bench_keep(uint32_t index);
void __wrap_bench_keep(uint32_t index);

void __wrap_bench_keep(uint32_t index)
{
    if (g_bench_probe.end < g_bench_probe.begin) {
        g_test_wrapped++;
    }
    __real_bench_keep(index);
    *(volatile uint32_t *)PLATFORM_COUNTER_AT = 0u - 1u - index % SPREAD;
}
