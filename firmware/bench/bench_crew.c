// SPDX-License-Identifier: MIT
// Tasks that a benchmark needs beside its peer: made when it begins and deleted when it has ended,
// in static memory, so that heap and task list are as before.
#include "bench.h"
#include "kernel_compat.h"
#include "platform.h"

enum { CREW_WORDS = 112 };

static StackType_t s_stacks[BENCH_CREW_MAX][CREW_WORDS];
static StaticTask_t s_blocks[BENCH_CREW_MAX];
static TaskHandle_t s_tasks[BENCH_CREW_MAX];
static uint32_t s_count;

void bench_start_crew(uint32_t count, uint32_t priority, void (*body)(void *unused))
{
    for (s_count = 0; s_count < count; s_count++) {
        s_tasks[s_count] = xTaskCreateStatic(body, "bench.crew", CREW_WORDS, NULL, priority,
                                             s_stacks[s_count], &s_blocks[s_count]);
    }
}

bool bench_crew_is(uint32_t count, bool ready)
{
    eTaskState wanted = ready ? eReady : eBlocked;
    uint32_t found = 0;
    for (uint32_t i = 0; i < s_count; i++) {
        found += eTaskGetState(s_tasks[i]) == wanted ? 1u : 0u;
    }
    return found == count && s_count == count;
}

void bench_stop_crew(void)
{
    while (s_count > 0u) {
        vTaskDelete(s_tasks[--s_count]);
    }
}
