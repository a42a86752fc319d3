// SPDX-License-Identifier: MIT
// A heap for tests, with the calls of a heap_1: it only ever gives. Not the kernel's own.
#include "FreeRTOS.h"

#include "task.h"

enum { STEP = 8 };

static uint8_t s_arena[configTOTAL_HEAP_SIZE] __attribute__((aligned(STEP)));
static size_t s_given;

void *pvPortMalloc(size_t bytes)
{
    void *block = NULL;
    size_t rounded = (bytes + STEP - 1u) / STEP * STEP;
    vTaskSuspendAll();
    if (bytes > 0u && rounded <= sizeof s_arena - s_given) {
        block = s_arena + s_given;
        s_given += rounded;
    }
    (void)xTaskResumeAll();
    return block;
}

void vPortFree(void *block)
{
    configASSERT(block == NULL);
}

void vPortInitialiseBlocks(void)
{
    s_given = 0;
}

size_t xPortGetFreeHeapSize(void)
{
    return sizeof s_arena - s_given;
}
