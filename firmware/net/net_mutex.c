// SPDX-License-Identifier: MIT
#include "net_mutex.h"

void net_mutex_take(net_mutex_t *mutex)
{
    vTaskSuspendAll(); // two tasks may need it first at once
    if (mutex->handle == NULL) {
        mutex->handle = xSemaphoreCreateMutexStatic(&mutex->memory);
    }
    (void)xTaskResumeAll();
    (void)xSemaphoreTake(mutex->handle, portMAX_DELAY);
}

void net_mutex_give(net_mutex_t *mutex)
{
    (void)xSemaphoreGive(mutex->handle);
}
