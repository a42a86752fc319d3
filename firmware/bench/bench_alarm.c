// SPDX-License-Identifier: MIT
// The alarm of the benchmarks: its handler reads the counter first of all.
#include "bench.h"
#include "platform.h"

const char g_bench_no_alarm[] = "this hardware has no alarm that comes when it is due";

static void (*volatile s_isr)(uint32_t entry);

void bench_alarm_handler(void)
{
    uint32_t entry = *bench_counter();
    platform_alarm_acknowledge(PLATFORM_ALARM_BENCH);
    s_isr(entry);
}

const char *bench_start_alarm(uint8_t priority, void (*isr)(uint32_t entry))
{
    s_isr = isr;
    return platform_alarm_start(PLATFORM_ALARM_BENCH, priority) == STATUS_OK ? NULL
                                                                             : g_bench_no_alarm;
}
