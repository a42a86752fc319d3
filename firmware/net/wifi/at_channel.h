// SPDX-License-Identifier: MIT
// The dialogue with a Wi-Fi module over the board's module UART: one command at a time, and what
// the module says unasked meanwhile. A task `net.wifi` reads; it runs above every task that calls.
// From tasks; calls block at most for the times given.
//
// A command is a turn: at_begin(), build it with at_text_add…(), at_run(), look at the answer,
// at_end(). A task has one turn at a time.
#ifndef AT_CHANNEL_H
#define AT_CHANNEL_H

#include "at_parser.h"
#include "at_text.h"

// Opens the UART and starts the reader; what is known of the module begins anew. STATUS_ABSENT: the
// board has no UART for a module.
status_t at_start(void);

// Ends the reader, closes the UART. No turn may be open.
void at_stop(void);

// Takes the turn, and begins a command such as "AT+CWJAP="; returns it, to be added to.
at_text_t *at_begin(const char *begin);

// Sends the command and waits for its end. STATUS_OK; STATUS_VALUE: it cannot be said (too long, or
// a control character); STATUS_REFUSED: ERROR; STATUS_TIMEOUT: no end in time, or busy all the
// time; STATUS_CLOSED: the module started anew meanwhile; STATUS_ABSENT: not started.
status_t at_run(uint32_t timeout_ms);

// The same for a command after which the module starts anew: ends with its "ready".
status_t at_run_restart(uint32_t timeout_ms);

// Reads at most `most` bytes of connection `link` that wait in the module: a whole turn. Returns
// how many; STATUS_REFUSED: none wait. Else as at_run().
int32_t at_receive(uint32_t link, void *bytes, size_t most, uint32_t timeout_ms);

// Sends bytes over a connection, at most AT_SEND_BYTES: a whole turn. As at_run(); STATUS_REFUSED:
// the connection is not open.
enum { AT_SEND_BYTES = 1024 };
status_t at_send(uint32_t link, const void *bytes, size_t length, uint32_t timeout_ms);

// The rest of the answer's line number `index` (from 0) among those that begin with `prefix`, or
// NULL. Valid until at_end().
const char *at_answer(const char *prefix, size_t index);

// Gives the turn back.
void at_end(void);

// ---- what the module said unasked --------------------------------------------------------------

typedef struct {
    bool joined;      // to an access point
    bool has_address; // and has an address
    uint32_t starts;  // times it said "ready" since at_start()
    uint32_t garbage; // lines that could not be read
    uint32_t lost;    // bytes that found the receive buffer full
} at_state_t;

at_state_t at_state(void);

// A connection's news. `waiting`: there may be bytes to read; `closed`: it is gone.
typedef struct {
    bool waiting;
    bool closed;
} at_news_t;

// The news of connection `link`.
at_news_t at_news(uint32_t link);

// Forgets them, before the connection is opened; says that bytes were read (waiting: more may be).
void at_forget_news(uint32_t link);
void at_set_waiting(uint32_t link, bool waiting);

// Waits until there is something new of connection `link`; returns whether there was in time.
bool at_wait_news(uint32_t link, uint32_t timeout_ms);

#endif
