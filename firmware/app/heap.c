// SPDX-License-Identifier: MIT
#include "heap.h"

#include "kernel_compat.h"

#if RIG_KERNEL_HEAP_NUMBER == 5
// Two regions of unequal size, in order of address as heap_5 wants them.
enum { LOW_BYTES = configTOTAL_HEAP_SIZE / 4 };
static uint8_t s_arena[configTOTAL_HEAP_SIZE] __attribute__((aligned(8)));

static void heap_define(void)
{
    static const HeapRegion_t s_regions[] = {
        {s_arena, LOW_BYTES},
        {s_arena + LOW_BYTES, sizeof s_arena - LOW_BYTES},
        {NULL, 0},
    };
    vPortDefineHeapRegions(s_regions);
}
#else
static void heap_define(void)
{
}
#endif

#if RIG_KERNEL_HEAP_NUMBER == 3
// heap_3 is malloc and free of the C library, which asks here for memory.
    #include <errno.h>

void *_sbrk(ptrdiff_t more);

void *_sbrk(ptrdiff_t more)
{
    static uint8_t s_arena[configTOTAL_HEAP_SIZE] __attribute__((aligned(8)));
    static size_t s_used;
    if (more < 0 ? (size_t)-more > s_used : (size_t)more > sizeof s_arena - s_used) {
        errno = ENOMEM;
        return (void *)-1;
    }
    void *begin = s_arena + s_used;
    s_used = (size_t)((ptrdiff_t)s_used + more);
    return begin;
}
#endif

void heap_init(void)
{
    heap_define();
#if KERNEL_HAS_DYNAMIC_ALLOCATION
    kernel_heap_give_back(pvPortMalloc(1));
#endif
}

bool heap_free(size_t *bytes)
{
    *bytes = kernel_heap_free_bytes();
    return KERNEL_HAS_HEAP_FREE_SIZE;
}

bool heap_min_ever(size_t *bytes)
{
#if KERNEL_HAS_HEAP_MIN_EVER
    *bytes = xPortGetMinimumEverFreeHeapSize();
#else
    *bytes = 0;
#endif
    return KERNEL_HAS_HEAP_MIN_EVER;
}

bool heap_pieces(size_t *largest, size_t *blocks)
{
#if KERNEL_HAS_HEAP_STATS
    HeapStats_t stats;
    vPortGetHeapStats(&stats);
    *largest = stats.xSizeOfLargestFreeBlockInBytes;
    *blocks = stats.xNumberOfFreeBlocks;
#else
    *largest = 0;
    *blocks = 0;
#endif
    return KERNEL_HAS_HEAP_STATS;
}
