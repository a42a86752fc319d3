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

// Begins event `name` in *line, with the next event number, and holds the writer until
// writer_send_event() by the same task: numbers cross in their order. From tasks, and from main
// before the scheduler.
void writer_begin_event(line_t *line, const char *name);
void writer_send_event(line_t *line);

#endif
