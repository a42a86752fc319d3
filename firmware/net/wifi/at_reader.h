// SPDX-License-Identifier: MIT
// The listening half of the dialogue with a Wi-Fi module, for at_channel.c: the module UART, the
// task `net.wifi` that reads it, the answer to the command at hand. It runs above every task that
// calls; what the module says unasked is told by at_channel.h.
#ifndef AT_READER_H
#define AT_READER_H

#include "at_channel.h"
#include "kernel_compat.h"

enum { AT_ANSWER_BYTES = 4096 };

static inline TickType_t at_ticks(uint32_t timeout_ms)
{
    return (TickType_t)((uint64_t)timeout_ms * configTICK_RATE_HZ / 1000u);
}

// The answer to the command whose turn it is: the reader's from reader_arm() to the end that
// reader_wait() returns, else the caller's.
typedef struct {
    volatile uint32_t ends; // bits 1 << at_kind_t that end it; 0: nothing is awaited
    at_kind_t last;         // what ended it
    uint32_t starts;        // of the module, when it ended
    uint8_t *data;          // where bytes that were asked for go
    size_t room, received;
    size_t length;
    char text[AT_ANSWER_BYTES]; // its lines, each with NUL; what does not fit is left out
} at_answer_t;

status_t reader_start(void); // as at_start()
void reader_stop(void);
bool reader_runs(void);

// The one answer there is.
at_answer_t *reader_answer(void);

// From now on the answer is listened to, until one of `ends`.
void reader_arm(uint32_t ends);

// Waits for the end; AT_NOTHING: none in time, and nothing is awaited any more. What an answer has
// begun is read to its end all the same, and let by: the rest of its data is no line of the module.
at_kind_t reader_wait(TickType_t ticks);

// Whether data that were announced, or the rest of a line, are still to come.
bool reader_is_amid(void);

// Does not wait for them any more: what comes next is the begin of a line.
void reader_drop(void);

// An answer may bring data, at most so many bytes; 0: none.
void reader_allow(uint32_t most);

#endif
