// SPDX-License-Identifier: MIT
// The kernel's heap, in one piece and behind small free pieces, and static memory beside it. Blocks
// are proven by what is written into them and into a neighbour, and by the heap's free bytes.
#include "bench.h"
#include "bench_rows.h"
#include "kernel_compat.h"

#include <string.h>

enum { BLOCK_MAX = 1024 };

bool bench_takes_block(int32_t arg)
{
    return arg == 16 || arg == 128 || arg == BLOCK_MAX;
}

// Every byte of a block, different from block to block.
static void heap_fill(void *block, size_t bytes, uint32_t index)
{
    memset(block, (int)(uint8_t)(index * 37u + 11u), bytes);
}

static bool heap_is_whole(const uint8_t *block, size_t bytes, uint32_t index)
{
    uint8_t first = (uint8_t)(index * 37u + 11u);
    return block[0] == first && memcmp(block, block + 1, bytes - 1u) == 0;
}

static bool heap_is_aligned(const void *block)
{
    return block != NULL && ((uintptr_t)block & (portBYTE_ALIGNMENT - 1u)) == 0u;
}

// What a program without a heap pays for the same memory.
const char *bench_run_heap_static(uint32_t n, int32_t arg)
{
    static uint8_t s_block[BLOCK_MAX] __attribute__((aligned(portBYTE_ALIGNMENT)));
    uint8_t *block = NULL;
    BENCH_LOOP(n, block = NULL, block = s_block;
               __asm volatile(""
                              : "+r"(block)),
               (heap_fill(block, (size_t)arg, i),
                heap_is_aligned(block) && heap_is_whole(block, (size_t)arg, i)),
               "the static block did not keep what was written");
    return NULL;
}

#if KERNEL_HAS_DYNAMIC_ALLOCATION

// A scheme that does not tell its free bytes says 0 of both.
static bool heap_lost(size_t before, size_t bytes)
{
    return !KERNEL_HAS_HEAP_FREE_SIZE || kernel_heap_free_bytes() + bytes <= before;
}

static bool heap_are_own(void *block, void *other, size_t bytes, uint32_t index)
{
    if (!heap_is_aligned(block) || !heap_is_aligned(other)) {
        return false;
    }
    heap_fill(block, bytes, index);
    heap_fill(other, bytes, index + 1u);
    return heap_is_whole(block, bytes, index) && heap_is_whole(other, bytes, index + 1u);
}

// Takes a second block behind the first, writes both, and gives both back. What is not a block of
// one's own is not given back: that would only spoil the heap further.
static bool heap_proves(void *block, size_t bytes, size_t before, uint32_t index)
{
    void *other = pvPortMalloc(bytes);
    bool lost = heap_lost(before, 2u * bytes);
    if (!heap_are_own(block, other, bytes, index)) {
        return false;
    }
    kernel_heap_give_back(other);
    kernel_heap_give_back(block);
    return lost && kernel_heap_free_bytes() == before;
}

const char *bench_run_heap_alloc(uint32_t n, int32_t arg)
{
    void *block = NULL;
    size_t before = kernel_heap_free_bytes();
    BENCH_LOOP(n, (void)0, block = pvPortMalloc((size_t)arg),
               heap_proves(block, (size_t)arg, before, i),
               "no block of that size, or not one's own, or the heap did not get it back");
    return NULL;
}

#endif

#if KERNEL_HAS_HEAP_FREE

// Measures the free of a block behind a neighbour, which must keep what was written there.
static const char *heap_run_free(uint32_t n, size_t bytes, const uint8_t *neighbour)
{
    void *block = NULL;
    size_t before = kernel_heap_free_bytes();
    BENCH_LOOP(n, block = pvPortMalloc(bytes);
               bool good = heap_is_aligned(block) && heap_lost(before, bytes);
               heap_fill(block, good ? bytes : 0u, i), vPortFree(block),
               good && kernel_heap_free_bytes() == before && heap_is_whole(neighbour, bytes, n),
               "the heap did not get its block back, or another one was changed");
    return NULL;
}

const char *bench_run_heap_free(uint32_t n, int32_t arg)
{
    size_t before = kernel_heap_free_bytes();
    void *neighbour = pvPortMalloc((size_t)arg);
    if (neighbour == NULL) {
        return "no block of that size";
    }
    heap_fill(neighbour, (size_t)arg, n);
    const char *fault = heap_run_free(n, (size_t)arg, neighbour);
    vPortFree(neighbour);
    return fault != NULL || kernel_heap_free_bytes() == before ? fault : "a block is lost";
}

// ---- fragmented --------------------------------------------------------------------------------

// Pieces between blocks that stay, so that no two grow together; a piece is too small for the
// smallest arg.
enum { PIECES = 32, PIECE_BYTES = 1 };

static void *s_kept[PIECES];

// Leaves the pieces free and the blocks between them taken; false if the heap is too small.
static bool heap_break(void)
{
    void *pieces[PIECES];
    bool good = true;
    for (uint32_t i = 0; i < PIECES; i++) {
        pieces[i] = pvPortMalloc(PIECE_BYTES);
        s_kept[i] = pvPortMalloc(PIECE_BYTES);
        good = good && pieces[i] != NULL && s_kept[i] != NULL;
    }
    for (uint32_t i = 0; i < PIECES; i++) {
        vPortFree(pieces[i]);
    }
    return good;
}

static void heap_mend(void)
{
    for (uint32_t i = 0; i < PIECES; i++) {
        vPortFree(s_kept[i]);
    }
}

static const char *heap_run_broken(const char *(*run)(uint32_t n, int32_t arg), uint32_t n,
                                   int32_t arg)
{
    size_t before = kernel_heap_free_bytes();
    bool broken = heap_break();
    const char *fault = broken ? run(n, arg) : "no room for the small pieces";
    heap_mend();
    return fault != NULL || kernel_heap_free_bytes() == before
               ? fault
               : "the heap did not get its pieces back";
}

const char *bench_run_heap_alloc_broken(uint32_t n, int32_t arg)
{
    return heap_run_broken(bench_run_heap_alloc, n, arg);
}

const char *bench_run_heap_free_broken(uint32_t n, int32_t arg)
{
    return heap_run_broken(bench_run_heap_free, n, arg);
}

#endif
