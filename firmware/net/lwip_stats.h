// SPDX-License-Identifier: MIT
// What lwIP counts of itself. From tasks; single words are read without the lock.
#ifndef LWIP_STATS_H
#define LWIP_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Since the reset.
typedef struct {
    uint32_t segments_in, segments_out, retransmits, checksum_errors;
} lwip_stats_t;

lwip_stats_t lwip_stats_read(void);

// A pool: pieces it has, has given out now and at most, and refused for want of one. The heap, the
// last row, counts bytes.
typedef struct {
    const char *name;
    uint32_t size, used, most, refused;
} lwip_pool_t;

bool lwip_stats_pool(size_t index, lwip_pool_t *pool);

#endif
