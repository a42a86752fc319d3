// SPDX-License-Identifier: MIT
// The console's bytes in and out, by UART (wire_uart.c) or by RTT (wire_rtt.c). Polled; main only.
#ifndef WIRE_H
#define WIRE_H

#include <stddef.h>
#include <stdint.h>

void wire_init(void);

// Sends all bytes; waits while there is no room for them.
void wire_put(const void *bytes, size_t length);

// Waits until what was sent has left the board: a reset forgets what has not.
void wire_flush(void);

// The next byte received, or -1 when there is none.
int wire_get(void);

#endif
