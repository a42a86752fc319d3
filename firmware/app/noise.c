// SPDX-License-Identifier: MIT
#include "noise.h"

#include "log.h"
#include "tasks.h"
#include "writer.h"

static volatile uint32_t s_left;

void noise_start(uint32_t lines)
{
    s_left = lines;
    (void)xTaskNotifyGive(tasks_handle(TASK_NOISE));
}

static void noise_print(uint32_t left)
{
    static const char s_tail[] = " lines, $ and @ and * in a log line\r\n";
    line_t line;
    char digits[11];
    (void)line_format_u32(left, digits);
    log_begin(&line, "EWID"[left % 4u], "noise");
    line_add_raw(&line, digits);
    if (left % 2u == 0u) {
        line_add_raw(&line, s_tail);
        writer_send(line.text, line.length);
        return;
    }
    writer_send(line.text, line.length);
    taskYIELD();
    writer_send(s_tail, sizeof s_tail - 1u);
}

void noise_task(void *unused)
{
    (void)unused;
    for (;;) {
        (void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        while (s_left > 0u) {
            noise_print(s_left);
            taskENTER_CRITICAL();
            s_left = s_left > 0u ? s_left - 1u : 0u;
            taskEXIT_CRITICAL();
            taskYIELD();
        }
    }
}
