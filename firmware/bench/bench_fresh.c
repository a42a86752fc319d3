// SPDX-License-Identifier: MIT
// What the kernel keeps over from one benchmark to the next is put back to where it began, so that
// a benchmark's samples do not depend on what ran before it.
#include "bench.h"
#include "kernel_compat.h"

#include <string.h>

// The kernel's registry of queues for debuggers, whose form has been the same since V9.
typedef struct {
    const char *name;
    QueueHandle_t queue;
} registry_row_t;

extern registry_row_t xQueueRegistry[configQUEUE_REGISTRY_SIZE];

// The place in the ring of the timer task's commands: where it wraps round, a command takes two
// instructions more. The ring is empty: the timer task, which is higher, has taken all.
void bench_make_fresh(void)
{
    for (size_t i = 0; i < configQUEUE_REGISTRY_SIZE; i++) {
        const registry_row_t *row = &xQueueRegistry[i];
        if (row->name != NULL && strcmp(row->name, "TmrQ") == 0) {
            (void)xQueueReset(row->queue);
        }
    }
}
