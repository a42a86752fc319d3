// SPDX-License-Identifier: MIT
// Log lines for a person: `<level> (<ms>) <module>: <text>`.
#ifndef LOG_H
#define LOG_H

#include "line.h"

// Begins a log line in *line; level is 'E', 'W', 'I' or 'D'. Add text with line_add_raw and send it
// with writer_send_line. From tasks.
void log_begin(line_t *line, char level, const char *module);

// Sends one whole log line. From tasks, and from main before the scheduler.
void log_text(char level, const char *module, const char *text);

// Milliseconds since the scheduler started; 0 before.
uint32_t log_uptime_ms(void);

#endif
