// SPDX-License-Identifier: MIT
// The one way out to the UART. Whole lines: a mutex keeps tasks from cutting each other's output.
#ifndef WRITER_H
#define WRITER_H

#include "line.h"

// Makes the mutex. Once, before any other call and before the scheduler.
void writer_init(void);

// Sends bytes as one piece. From tasks, and from main before the scheduler starts; never from an
// interrupt. Waits while another task writes or holds the writer.
void writer_send(const void *bytes, size_t length);

// Ends the line and sends it as writer_send does.
void writer_send_line(line_t *line);

// Takes the writer (nobody else writes) until writer_release by the same task.
void writer_hold(void);
void writer_release(void);

// Begins event `name` in *line, with the next event number. Events are started and sent by main
// before the scheduler and by the console task afterwards, by nobody else.
void writer_begin_event(line_t *line, const char *name);

#endif
