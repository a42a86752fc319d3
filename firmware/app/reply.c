// SPDX-License-Identifier: MIT
#include "reply.h"

#include "writer.h"

#include <string.h>

typedef struct {
    uint32_t seq; // 0: nothing stored
    uint16_t crc;
    bool whole; // the reply ended and all of it is here
    size_t length;
    char text[REPLY_STORE_BYTES];
} store_t;

static store_t s_store;

static void reply_store(const reply_t *reply)
{
    if (s_store.length + reply->line.length > sizeof s_store.text) {
        s_store.seq = 0;
    }
    if (s_store.seq != 0u) {
        memcpy(s_store.text + s_store.length, reply->line.text, reply->line.length);
        s_store.length += reply->line.length;
    }
}

void reply_begin(reply_t *reply, const request_t *request)
{
    reply->framed = request->framed;
    reply->seq = request->seq;
    reply->crc = request->crc;
    reply->next_index = 0;
    reply->finished = false;
    if (request->framed) {
        s_store.seq = request->seq;
        s_store.crc = request->crc;
        s_store.whole = false;
        s_store.length = 0;
    }
}

static line_t *reply_line(reply_t *reply, const char *kind)
{
    bool row = strcmp(kind, "data") == 0;
    if (reply->framed) {
        line_begin_reply(&reply->line, reply->seq, reply->next_index++, kind);
    } else {
        line_begin_plain(&reply->line, row ? "" : kind);
    }
    reply->finished = !row;
    return &reply->line;
}

line_t *reply_data(reply_t *reply)
{
    return reply_line(reply, "data");
}

line_t *reply_ok(reply_t *reply)
{
    return reply_line(reply, "ok");
}

void reply_send(reply_t *reply)
{
    line_end(&reply->line);
    if (reply->framed) {
        reply_store(reply);
        s_store.whole = reply->finished;
    }
    writer_send(reply->line.text, reply->line.length);
}

void reply_error(reply_t *reply, const char *code, const char *message)
{
    line_t *line = reply_line(reply, "err");
    line_add_text(line, "code", code);
    if (message[0] != '\0') {
        line_add_text(line, "msg", message);
    }
    reply_send(reply);
}

void reply_finish(reply_t *reply)
{
    if (!reply->finished) {
        (void)reply_ok(reply);
        reply_send(reply);
    }
}

bool reply_repeat(const request_t *request)
{
    if (!request->framed || !s_store.whole || s_store.seq != request->seq ||
        s_store.crc != request->crc) {
        return false;
    }
    writer_send(s_store.text, s_store.length);
    return true;
}
