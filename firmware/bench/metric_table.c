// SPDX-License-Identifier: MIT
// The table of metrics. Ids are part of the console's protocol: they name measurements.
#include "metric.h"
#include "metric_rows.h"

#include <string.h>

#define ROW(id, parties, drivers, name, help)                                                      \
    {                                                                                              \
        id, parties, drivers, help, metric_start_##name, metric_count_##name, metric_check_##name  \
    }

static const metric_row_t s_rows[] = {
    ROW("basic", 1, 1, basic, "one task steps each word of a table of 1024 on"),
    ROW("cooperative", 5, 5, cooperative, "five tasks of one priority, each yields to the next"),
    ROW("preemptive", 5, 1, preemptive,
        "five tasks of rising priority, each resumes the one above and is preempted by it"),
    ROW("interrupt", 2, 1, interrupt, "a task pends an interrupt and takes the semaphore it gives"),
    ROW("interrupt_preemption", 3, 1, interrupt_preemption,
        "a task pends an interrupt that resumes a higher task, which preempts it"),
    ROW("message", 1, 1, message, "a task sends 16 bytes through a queue and receives them"),
    ROW("synchronisation", 1, 1, synchronisation, "a task takes and gives a binary semaphore"),
#if KERNEL_HAS_HEAP_FREE
    ROW("allocation", 1, 1, allocation, "a task allocates 128 bytes and frees them"),
#endif
};

enum { ROWS = sizeof s_rows / sizeof s_rows[0] };

const metric_row_t *metric_row(size_t index)
{
    return index < ROWS ? &s_rows[index] : NULL;
}

const metric_row_t *metric_find(const char *id)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(s_rows[i].id, id) == 0) {
            return &s_rows[i];
        }
    }
    return NULL;
}
