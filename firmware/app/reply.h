// SPDX-License-Identifier: MIT
// The reply to one request: data lines, then one last line; framed or plain as the request was. A
// framed reply is kept, so that a repeated request is answered again without being executed.
// Only the console task uses this.
#ifndef REPLY_H
#define REPLY_H

#include "line.h"
#include "request.h"

enum { REPLY_STORE_BYTES = 2048 };

typedef struct reply {
    bool framed;
    uint32_t seq;
    uint16_t crc;
    uint32_t next_index;
    bool finished; // the last line was sent
    line_t line;   // the line being built
} reply_t;

// Starts the reply to `request`, forgetting the stored one if framed.
void reply_begin(reply_t *reply, const request_t *request);

// Begin a data line or the ok line; add fields to the line returned, then reply_send().
line_t *reply_data(reply_t *reply);
line_t *reply_ok(reply_t *reply);
void reply_send(reply_t *reply);

// Sends the last line `err code=<code>[ msg=<text>]`.
void reply_error(reply_t *reply, const char *code, const char *message);

// Ends the reply: an ok line without fields if the handler sent no last line.
void reply_finish(reply_t *reply);

// Sends the stored reply again if it answers this very request and was short enough to store.
// Returns whether it did.
bool reply_repeat(const request_t *request);

#endif
