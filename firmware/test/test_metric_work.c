// SPDX-License-Identifier: MIT
// The work that metrics are proven by: stepping and jumping meet.
#include "host_units.h"
#include "metric_work.h"

typedef struct {
    const char *about;
    uint32_t state;
    uint32_t steps;
} work_row_t;

static const work_row_t s_rows[] = {
    {"no step", 7, 0},           {"one step", 7, 1},         {"two steps", 7, 2},
    {"a power of two", 0, 1024}, {"many", 0xFFFFFFFF, 9999}, {"an odd number", 1, 100003},
};

void test_metric_work(void)
{
    for (size_t i = 0; i < sizeof s_rows / sizeof s_rows[0]; i++) {
        const work_row_t *row = &s_rows[i];
        CHECK(metric_work(row->state, row->steps) == metric_jump(row->state, row->steps),
              row->about);
    }
    CHECK(metric_jump(metric_jump(5, 1u << 31), 1u << 31) == 5u, "the period is 2^32");
    CHECK(metric_jump(3, (1ull << 40) + 9u) == metric_jump(3, 9), "more steps than 32 bits hold");
    CHECK(metric_work(3, 9) != metric_work(3, 8), "a step left out shows");
}
