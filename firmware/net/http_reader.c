// SPDX-License-Identifier: MIT
#include "http_reader.h"

#include <string.h>

enum { HTTP_NUMBER_BYTES = 10 };

void http_reader_init(http_reader_t *reader, uint8_t *body, size_t size)
{
    memset(reader, 0, sizeof *reader);
    reader->body = body;
    reader->size = size;
}

static char http_lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

// What stands behind `name` in a line, without blanks, or NULL if the line is another one.
static const char *http_value(const char *line, const char *name)
{
    for (; *name != '\0'; line++, name++) {
        if (http_lower(*line) != *name) {
            return NULL;
        }
    }
    return line + strspn(line, " \t");
}

// A number of `base` at the begin of a text; false if there is none, or it does not fit.
static bool http_number(const char *text, uint32_t base, uint32_t *number)
{
    static const char s_digits[] = "0123456789abcdef";
    uint64_t sum = 0;
    size_t count = 0;
    for (; text[count] != '\0'; count++) {
        const char *digit = strchr(s_digits, http_lower(text[count]));
        if (digit == NULL || (uint32_t)(digit - s_digits) >= base || sum > UINT32_MAX) {
            break;
        }
        sum = sum * base + (uint32_t)(digit - s_digits);
    }
    *number = (uint32_t)sum;
    bool ends = text[count] == '\0' || strchr(" \t;", text[count]) != NULL;
    return count > 0u && ends && sum <= UINT32_MAX;
}

// "bytes 0-4095/300000" (RFC 9110, 14.4): where the part begins.
static bool http_range(const char *value, uint32_t *first)
{
    char digits[HTTP_NUMBER_BYTES + 1];
    const char *number = http_value(value, "bytes");
    size_t length = number != NULL ? strcspn(number, "-") : 0u;
    if (length == 0u || length > HTTP_NUMBER_BYTES || number[length] != '-') {
        return false;
    }
    memcpy(digits, number, length);
    digits[length] = '\0';
    return http_number(digits, 10, first);
}

static bool http_ends_with_chunked(const char *value)
{
    size_t length = strlen(value);
    while (length > 0u && (value[length - 1u] == ' ' || value[length - 1u] == '\t')) {
        length--;
    }
    return length >= 7u && http_value(value + length - 7u, "chunked") != NULL;
}

// ---- lines -------------------------------------------------------------------------------------

static int http_status_line(http_reader_t *reader)
{
    bool known = strncmp(reader->line, "HTTP/1.", 7) == 0 && reader->line[7] != '\0' &&
                 reader->line[8] == ' ';
    if (!known || !http_number(reader->line + 9, 10, &reader->code) || reader->code < 100u ||
        reader->code > 599u) {
        return STATUS_SYNTAX;
    }
    reader->state = HTTP_HEADER;
    return 0;
}

// The head has ended. A response of 1xx is followed by the one that counts.
static int http_begin_body(http_reader_t *reader)
{
    bool none = reader->code == 204u || reader->code == 304u;
    if (reader->code < 200u) {
        reader->state = HTTP_STATUS_LINE;
        return 0;
    }
    if (!reader->chunked && reader->has_length && reader->left > reader->size) {
        return STATUS_SPACE;
    }
    if (none || (!reader->chunked && reader->has_length && reader->left == 0u)) {
        reader->state = HTTP_DONE;
        return 1;
    }
    reader->state = reader->chunked ? HTTP_CHUNK_SIZE : HTTP_BODY;
    return 0;
}

static int http_header(http_reader_t *reader)
{
    const char *value;
    uint32_t length;
    if (reader->line[0] == '\0') {
        return http_begin_body(reader);
    }
    if ((value = http_value(reader->line, "content-length:")) != NULL) {
        bool good = http_number(value, 10, &length);
        if (!good || (reader->has_length && length != reader->left)) {
            return STATUS_SYNTAX;
        }
        reader->has_length = true;
        reader->left = length;
    } else if ((value = http_value(reader->line, "transfer-encoding:")) != NULL) {
        reader->chunked = http_ends_with_chunked(value);
    } else if ((value = http_value(reader->line, "content-range:")) != NULL) {
        reader->has_range = http_range(value, &reader->first);
    }
    return 0;
}

static int http_chunk_size(http_reader_t *reader)
{
    if (!http_number(reader->line, 16, &reader->left)) {
        return STATUS_SYNTAX;
    }
    reader->state = reader->left > 0u ? HTTP_CHUNK : HTTP_TRAILER;
    return 0;
}

static int http_line(http_reader_t *reader)
{
    switch (reader->state) {
    case HTTP_STATUS_LINE:
        return http_status_line(reader);
    case HTTP_HEADER:
        return http_header(reader);
    case HTTP_CHUNK_SIZE:
        return http_chunk_size(reader);
    case HTTP_CHUNK_END:
        reader->state = HTTP_CHUNK_SIZE;
        return reader->line[0] == '\0' ? 0 : STATUS_SYNTAX;
    default: // a trailer
        reader->state = reader->line[0] == '\0' ? HTTP_DONE : HTTP_TRAILER;
        return reader->state == HTTP_DONE;
    }
}

static int http_take_line_byte(http_reader_t *reader, char byte)
{
    if (++reader->head > HTTP_HEAD_BYTES) {
        return STATUS_SPACE;
    }
    if (byte != '\n') {
        if (reader->line_length < HTTP_LINE_BYTES) {
            reader->line[reader->line_length++] = byte;
        }
        return 0;
    }
    bool returns = reader->line_length > 0u && reader->line[reader->line_length - 1u] == '\r';
    reader->line[reader->line_length - (returns ? 1u : 0u)] = '\0';
    reader->line_length = 0;
    reader->head -= reader->state == HTTP_CHUNK_SIZE ? reader->head : 0u; // sizes do not add up
    return http_line(reader);
}

// ---- body --------------------------------------------------------------------------------------

static bool http_is_bounded(const http_reader_t *reader)
{
    return reader->state == HTTP_CHUNK || reader->has_length;
}

// Takes what belongs to the body or the chunk; *taken says how much that was.
static int http_take_body(http_reader_t *reader, const uint8_t *bytes, size_t count, size_t *taken)
{
    bool bounded = http_is_bounded(reader);
    *taken = bounded && reader->left < count ? reader->left : count;
    if (*taken > reader->size - reader->length) {
        return STATUS_SPACE;
    }
    memcpy(reader->body + reader->length, bytes, *taken);
    reader->length += *taken;
    reader->left -= bounded ? (uint32_t)*taken : 0u;
    if (!bounded || reader->left > 0u) {
        return 0;
    }
    reader->state = reader->state == HTTP_CHUNK ? HTTP_CHUNK_END : HTTP_DONE;
    return reader->state == HTTP_DONE;
}

int http_reader_take(http_reader_t *reader, const uint8_t *bytes, size_t count)
{
    int outcome = reader->state == HTTP_DONE;
    for (size_t at = 0; outcome == 0 && at < count;) {
        size_t taken = 1;
        if (reader->state == HTTP_BODY || reader->state == HTTP_CHUNK) {
            outcome = http_take_body(reader, bytes + at, count - at, &taken);
        } else {
            outcome = http_take_line_byte(reader, (char)bytes[at]);
        }
        at += taken;
    }
    return outcome;
}

status_t http_reader_close(const http_reader_t *reader)
{
    bool until_close = reader->state == HTTP_BODY && !reader->has_length;
    return until_close || reader->state == HTTP_DONE ? STATUS_OK : STATUS_CLOSED;
}
