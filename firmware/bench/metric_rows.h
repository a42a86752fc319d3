// SPDX-License-Identifier: MIT
// The functions metric_table.c makes its rows of; each is described in its file.
#ifndef METRIC_ROWS_H
#define METRIC_ROWS_H

#include <stdint.h>

// start, count and check of each metric.
#define METRIC_ROW_FUNCTIONS(name)                                                                 \
    const char *metric_start_##name(void);                                                         \
    uint32_t metric_count_##name(void);                                                            \
    const char *metric_check_##name(uint32_t tick_count)

METRIC_ROW_FUNCTIONS(basic);
METRIC_ROW_FUNCTIONS(cooperative);
METRIC_ROW_FUNCTIONS(preemptive);
METRIC_ROW_FUNCTIONS(interrupt);
METRIC_ROW_FUNCTIONS(interrupt_preemption);
METRIC_ROW_FUNCTIONS(message);
METRIC_ROW_FUNCTIONS(synchronisation);
METRIC_ROW_FUNCTIONS(allocation);

#endif
