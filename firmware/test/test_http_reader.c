// SPDX-License-Identifier: MIT
// HTTP responses, whole and in pieces of every size.
#include "host_units.h"
#include "http_reader.h"

#include <string.h>

enum { BODY_BYTES = 32 };

typedef struct {
    const char *text;
    int outcome; // of all of it: 1 done, 0 more is wanted, below 0 refused
    status_t closed;
    uint32_t code;
    const char *body;
} response_row_t;

#define OK  "HTTP/1.1 200 OK\r\n"
#define L32 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const response_row_t s_rows[] = {
    {OK "Content-Length: 5\r\n\r\nhello", 1, STATUS_OK, 200, "hello"},
    {OK "content-length:5\r\n\r\nhello", 1, STATUS_OK, 200, "hello"},
    {OK "Content-Length: 5\r\n\r\nhell", 0, STATUS_CLOSED, 200, "hell"},
    {OK "Content-Length: 0\r\n\r\n", 1, STATUS_OK, 200, ""},
    {OK "X: y\r\n\r\nuntil the end", 0, STATUS_OK, 200, "until the end"},
    {OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n02;x=y\r\nde\r\n0\r\n\r\n", 1, STATUS_OK,
     200, "abcde"},
    {OK "Transfer-Encoding: gzip, Chunked \r\n\r\n0\r\nTrailer: x\r\n\r\n", 1, STATUS_OK, 200, ""},
    {OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc", 0, STATUS_CLOSED, 200, "abc"},
    {OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n", STATUS_SYNTAX, STATUS_CLOSED, 200, ""},
    {OK "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", STATUS_SYNTAX, STATUS_CLOSED, 200, "a"},
    {OK "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFF\r\n", STATUS_SYNTAX, STATUS_CLOSED, 200, ""},
    {OK "Transfer-Encoding: chunked\r\n\r\n21\r\n" L32 "y", STATUS_SPACE, STATUS_CLOSED, 200, NULL},
    {OK "Content-Length: 33\r\n\r\n", STATUS_SPACE, STATUS_CLOSED, 200, ""},
    {OK "Content-Length: 32\r\n\r\n" L32, 1, STATUS_OK, 200, L32},
    {OK "Content-Length: -1\r\n\r\n", STATUS_SYNTAX, STATUS_CLOSED, 200, ""},
    {OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", STATUS_SYNTAX, STATUS_CLOSED, 200, ""},
    {OK "\r\n" L32 "y", STATUS_SPACE, STATUS_OK, 200, NULL},
    {"HTTP/1.1 404 Not Found\nContent-Length: 2\n\nno", 1, STATUS_OK, 404, "no"},
    {"HTTP/1.0 204 \r\n\r\n", 1, STATUS_OK, 204, ""},
    {"HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 1\r\n\r\nx", 1, STATUS_OK, 200, "x"},
    {"HTTP/1.1 99 Odd\r\n", STATUS_SYNTAX, STATUS_CLOSED, 99, ""},
    {"HTTP/2 200\r\n", STATUS_SYNTAX, STATUS_CLOSED, 0, ""},
    {"SSH-2.0-x\r\n", STATUS_SYNTAX, STATUS_CLOSED, 0, ""},
    {"\r\n", STATUS_SYNTAX, STATUS_CLOSED, 0, ""},
};

static int read_in_pieces(http_reader_t *reader, uint8_t *body, const char *text, size_t piece)
{
    int outcome = 0;
    size_t length = strlen(text);
    http_reader_init(reader, body, BODY_BYTES);
    for (size_t at = 0; at < length && outcome == 0; at += piece) {
        size_t count = length - at < piece ? length - at : piece;
        outcome = http_reader_take(reader, (const uint8_t *)text + at, count);
    }
    return outcome;
}

static void test_row(const response_row_t *row, size_t piece)
{
    http_reader_t reader;
    uint8_t body[BODY_BYTES];
    CHECK(read_in_pieces(&reader, body, row->text, piece) == row->outcome, row->text);
    CHECK(http_reader_close(&reader) == row->closed, row->text);
    CHECK(reader.code == row->code, row->text);
    if (row->body != NULL) {
        CHECK(reader.length == strlen(row->body), row->text);
        CHECK(memcmp(body, row->body, reader.length) == 0, row->text);
    }
}

static void test_long_heads(void)
{
    static char s_text[HTTP_HEAD_BYTES + 100];
    http_reader_t reader;
    uint8_t body[BODY_BYTES];
    strcpy(s_text, OK "X: ");
    memset(s_text + strlen(s_text), 'y', 4000);
    strcat(s_text, "\r\nContent-Length: 1\r\n\r\nz");
    CHECK(read_in_pieces(&reader, body, s_text, 7) == 1 && reader.length == 1u, "one long header");
    strcpy(s_text, OK "X: ");
    memset(s_text + strlen(s_text), 'y', HTTP_HEAD_BYTES);
    CHECK(read_in_pieces(&reader, body, s_text, 7) == STATUS_SPACE, "an endless one");
}

static void test_ranges(void)
{
    static const struct {
        const char *header;
        bool known;
        uint32_t first;
    } s_ranges[] = {
        {"Content-Range: bytes 4096-8191/300000", true, 4096},
        {"content-range:bytes 0-0/*", true, 0},
        {"Content-Range: bytes 4294967295-4294967295/*", true, 4294967295u},
        {"Content-Range: bytes 4294967296-4294967297/*", false, 0},
        {"Content-Range: bytes 99999999999-1/*", false, 0},
        {"Content-Range: bytes */300000", false, 0},
        {"Content-Range: bytes 12", false, 0},
        {"Content-Range: bytes 1x2-3/4", false, 0},
        {"Content-Range: lines 1-2/3", false, 0},
        {"Content-Range: ", false, 0},
        {"X: bytes 1-2/3", false, 0},
    };
    for (size_t i = 0; i < sizeof s_ranges / sizeof s_ranges[0]; i++) {
        char text[160];
        http_reader_t reader;
        uint8_t body[BODY_BYTES];
        strcpy(text, "HTTP/1.1 206 Partial Content\r\n");
        strcat(text, s_ranges[i].header);
        strcat(text, "\r\nContent-Length: 1\r\n\r\nx");
        CHECK(read_in_pieces(&reader, body, text, 7) == 1, s_ranges[i].header);
        CHECK(reader.has_range == s_ranges[i].known, s_ranges[i].header);
        CHECK(!reader.has_range || reader.first == s_ranges[i].first, s_ranges[i].header);
    }
}

void test_http_reader(void)
{
    test_ranges();
    for (size_t i = 0; i < sizeof s_rows / sizeof s_rows[0]; i++) {
        for (size_t piece = 1; piece < 100u; piece++) {
            test_row(&s_rows[i], piece);
        }
    }
    test_long_heads();
}
