// SPDX-License-Identifier: MIT
#include "log.h"

#include "kernel_compat.h"
#include "writer.h"

uint32_t log_uptime_ms(void)
{
    return (uint32_t)((uint64_t)xTaskGetTickCount() * 1000u / configTICK_RATE_HZ);
}

void log_begin(line_t *line, char level, const char *module)
{
    char text[2] = {level, '\0'};
    char digits[11];
    (void)line_format_u32(log_uptime_ms(), digits);
    line_begin_plain(line, text);
    line_add_raw(line, " (");
    line_add_raw(line, digits);
    line_add_raw(line, ") ");
    line_add_raw(line, module);
    line_add_raw(line, ": ");
}

void log_text(char level, const char *module, const char *text)
{
    line_t line;
    log_begin(&line, level, module);
    line_add_raw(&line, text);
    writer_send_line(&line);
}
