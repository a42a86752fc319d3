// SPDX-License-Identifier: MIT
#include "writer.h"

#include "kernel_compat.h"
#include "platform.h"

static SemaphoreHandle_t s_mutex; // a semaphore in a kernel without mutexes: no inheritance then
static uint32_t s_next_event;

void writer_init(void)
{
    static StaticSemaphore_t s_memory;
#if KERNEL_HAS_MUTEXES
    s_mutex = xSemaphoreCreateMutexStatic(&s_memory);
#else
    s_mutex = xSemaphoreCreateBinaryStatic(&s_memory);
    (void)xSemaphoreGive(s_mutex);
#endif
}

void writer_hold(void)
{
    if (xTaskGetSchedulerState() == taskSCHEDULER_RUNNING) {
        (void)xSemaphoreTake(s_mutex, portMAX_DELAY);
    }
}

void writer_release(void)
{
    if (xTaskGetSchedulerState() == taskSCHEDULER_RUNNING) {
        (void)xSemaphoreGive(s_mutex);
    }
}

void writer_send(const void *bytes, size_t length)
{
    writer_hold();
    platform_uart_write(bytes, length);
    writer_release();
}

void writer_send_line(line_t *line)
{
    line_end(line);
    writer_send(line->text, line->length);
}

void writer_begin_event(line_t *line, const char *name)
{
    writer_hold();
    line_begin_event(line, s_next_event++, name);
}

void writer_send_event(line_t *line)
{
    line_end(line);
    platform_uart_write(line->text, line->length);
    writer_release();
}
