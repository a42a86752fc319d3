// SPDX-License-Identifier: MIT
// The kernel's heap, whatever its scheme: made ready, and asked what it can tell.
#ifndef HEAP_H
#define HEAP_H

#include <stdbool.h>
#include <stddef.h>

// Makes the heap ready: regions for heap_5, and a first request, because a heap sets itself up at
// that and says before it that nothing is free. Once, before the scheduler.
void heap_init(void);

// Bytes free, and the least that were ever free. False where the scheme does not tell: heap_3 tells
// neither, heap_1 and heap_2 not the second.
bool heap_free(size_t *bytes);
bool heap_min_ever(size_t *bytes);

// The largest free block in bytes, and how many free blocks there are: what the heap is broken
// into. False where kernel or scheme do not tell: vPortGetHeapStats came with V10.3.0, for heap_4
// and heap_5.
bool heap_pieces(size_t *largest, size_t *blocks);

#endif
