// SPDX-License-Identifier: MIT
// A heap for tests, with the calls of a heap_3: the C library's, one task at a time. Not the
// kernel's own.
#include "FreeRTOS.h"

#include "task.h"

#include <stdlib.h>

void *pvPortMalloc(size_t bytes)
{
    vTaskSuspendAll();
    void *block = malloc(bytes);
    (void)xTaskResumeAll();
    return block;
}

void vPortFree(void *block)
{
    vTaskSuspendAll();
    free(block);
    (void)xTaskResumeAll();
}
