// SPDX-License-Identifier: MIT
#include "bench_helpers.h"

#include "crash.h"

enum { HELPER_WORDS = 160 };

static StackType_t s_stacks[BENCH_HELPERS][HELPER_WORDS];
static StaticTask_t s_blocks[BENCH_HELPERS];
static TaskHandle_t s_handles[BENCH_HELPERS];
static uint32_t s_started;

TaskHandle_t bench_helper_start(TaskFunction_t entry, UBaseType_t priority)
{
    ASSERT(s_started < BENCH_HELPERS);
    uint32_t index = s_started++;
    s_handles[index] =
        xTaskCreateStatic(entry, "bench.helper", HELPER_WORDS, (void *)(uintptr_t)index, priority,
                          s_stacks[index], &s_blocks[index]);
    return s_handles[index];
}

TaskHandle_t bench_helper(uint32_t index)
{
    return s_handles[index];
}

bool bench_helpers_are(uint32_t count, bool ready)
{
    eTaskState wanted = ready ? eReady : eBlocked;
    uint32_t found = 0;
    for (uint32_t i = 0; i < s_started; i++) {
        found += eTaskGetState(s_handles[i]) == wanted ? 1u : 0u;
    }
    return found == count && s_started == count;
}

void bench_helpers_stop(void)
{
    while (s_started > 0u) {
        vTaskDelete(s_handles[--s_started]);
    }
}
