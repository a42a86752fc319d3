// SPDX-License-Identifier: MIT
// Reads one HTTP/1.1 response (RFC 9112) as its bytes come: status, and a body that is as long as
// Content-Length says, in chunks, or until the connection closes; of a part also which it is. Pure
// and bounded.
#ifndef HTTP_READER_H
#define HTTP_READER_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_LINE_BYTES = 160,     // of a line, what is looked at; the rest of it is let by
    HTTP_HEAD_BYTES = 8 * 1024 // of status line and headers together
};

typedef enum {
    HTTP_STATUS_LINE,
    HTTP_HEADER,
    HTTP_BODY, // `left` bytes, or until the end
    HTTP_CHUNK_SIZE,
    HTTP_CHUNK,
    HTTP_CHUNK_END,
    HTTP_TRAILER,
    HTTP_DONE,
} http_state_t;

typedef struct {
    // read by the caller
    uint32_t code; // 200, 404, …
    bool chunked;
    size_t length; // of the body so far
    bool has_range;
    uint32_t first; // byte of the file, as Content-Range says
    // the reader's own
    uint8_t *body;
    size_t size;
    http_state_t state;
    bool has_length;
    uint32_t left;
    size_t head;
    size_t line_length;
    char line[HTTP_LINE_BYTES + 1];
} http_reader_t;

// The body is written to `body`, at most `size` bytes.
void http_reader_init(http_reader_t *reader, uint8_t *body, size_t size);

// Takes bytes: 1 when the response is whole (what follows it is not looked at), 0 for more,
// STATUS_SYNTAX, or STATUS_SPACE: the body is longer than `size`, or the head is too long.
int http_reader_take(http_reader_t *reader, const uint8_t *bytes, size_t count);

// The connection was closed: STATUS_OK if that ends the response, else STATUS_CLOSED.
status_t http_reader_close(const http_reader_t *reader);

#endif
