// SPDX-License-Identifier: MIT
// The probe itself: its own cost, and sections of a known number of instructions.
#include "bench_rows.h"

#include "bench.h"

const char *bench_run_overhead(uint32_t n, int32_t arg)
{
    (void)arg;
    const volatile uint32_t *counter = bench_counter();
    volatile bench_probe_t *probe = bench_probe();
    for (uint32_t i = 0; i <= n; i++) {
        BENCH_BEGIN(counter, probe);
        BENCH_END(counter, probe);
        bench_keep(i);
    }
    return NULL;
}

// One function per number: the NOPs must stand in the code, a loop would cost more than it counts.
#define NOPS(count)                                                                                \
    static const char *bench_run_nops_##count(uint32_t n)                                          \
    {                                                                                              \
        const volatile uint32_t *counter = bench_counter();                                        \
        volatile bench_probe_t *probe = bench_probe();                                             \
        for (uint32_t i = 0; i <= n; i++) {                                                        \
            BENCH_BEGIN(counter, probe);                                                           \
            __asm volatile(".rept " #count "\n\tnop\n\t.endr");                                    \
            BENCH_END(counter, probe);                                                             \
            bench_keep(i);                                                                         \
        }                                                                                          \
        return NULL;                                                                               \
    }

NOPS(0)
NOPS(1)
NOPS(2)
NOPS(10)
NOPS(11)
NOPS(12)

typedef struct {
    int32_t count;
    const char *(*run)(uint32_t n);
} nops_row_t;

static const nops_row_t s_nops[] = {
    {0, bench_run_nops_0},   {1, bench_run_nops_1},   {2, bench_run_nops_2},
    {10, bench_run_nops_10}, {11, bench_run_nops_11}, {12, bench_run_nops_12},
};

static const nops_row_t *bench_find_nops(int32_t count)
{
    for (size_t i = 0; i < sizeof s_nops / sizeof s_nops[0]; i++) {
        if (s_nops[i].count == count) {
            return &s_nops[i];
        }
    }
    return NULL;
}

bool bench_takes_nops(int32_t arg)
{
    return bench_find_nops(arg) != NULL;
}

const char *bench_run_nops(uint32_t n, int32_t arg)
{
    return bench_find_nops(arg)->run(n);
}
