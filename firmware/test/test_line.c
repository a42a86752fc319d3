// SPDX-License-Identifier: MIT
// Output lines: frames, escapes, the limit on length.
#define _GNU_SOURCE // memmem
#include "crc16.h"
#include "host_units.h"
#include "line.h"

#include <string.h>

typedef struct {
    const char *value;
    const char *escaped;
} escape_row_t;

static const escape_row_t s_escapes[] = {
    {"plain_.,:/+-09azAZ", "plain_.,:/+-09azAZ"},
    {"", ""},
    {"a b", "a%20b"},
    {"$1*@=%", "%241%2A%40%3D%25"},
    {"\r\n\x01\x7F\xFF", "%0D%0A%01%7F%FF"},
};

static bool line_ends_right(const line_t *line)
{
    char check[5];
    size_t body = line->length - 7u; // *XXXX CR LF
    line_format_hex(crc16_update(CRC16_INITIAL, line->text + 1, body - 1u), 4, check);
    return line->length <= LINE_MAX_BYTES && line->text[body] == '*' &&
           memcmp(line->text + body + 1u, check, 4) == 0 &&
           memcmp(line->text + body + 5u, "\r\n", 2) == 0;
}

static bool line_is(const line_t *line, const char *body)
{
    return line->length >= strlen(body) && memcmp(line->text, body, strlen(body)) == 0;
}

static void test_escapes(void)
{
    for (size_t i = 0; i < sizeof s_escapes / sizeof s_escapes[0]; i++) {
        line_t line;
        char body[64] = "$7.0 ok k=";
        strcat(body, s_escapes[i].escaped);
        line_begin_reply(&line, 7, 0, "ok");
        line_add_text(&line, "k", s_escapes[i].value);
        line_end(&line);
        CHECK(line_is(&line, body), s_escapes[i].escaped);
        CHECK(line.length == strlen(body) + 7u, s_escapes[i].escaped);
        CHECK(line_ends_right(&line), s_escapes[i].escaped);
    }
}

static void test_numbers(void)
{
    line_t line;
    line_begin_event(&line, UINT32_MAX, "boot");
    line_add_u32(&line, "z", 0);
    line_add_u32(&line, "m", UINT32_MAX);
    line_add_i32(&line, "i", INT32_MIN);
    line_add_hex(&line, "h", 0xABC, 4);
    line_add_address(&line, "a", 0x2100F00Du);
    line_end(&line);
    CHECK(line_is(&line, "$!4294967295 boot z=0 m=4294967295 i=-2147483648 h=0ABC a=0x2100F00D*"),
          "numbers");
}

// Every length of a value around the limit: the line stays whole, and a value is there whole or
// not.
static void test_limit(void)
{
    char value[LINE_MAX_BYTES + 1];
    for (size_t length = 0; length < sizeof value; length++) {
        line_t line;
        memset(value, ' ', length);
        value[length] = '\0';
        line_begin_reply(&line, 0x7FFFFFFF, 9, "data");
        line_add_text(&line, "v", value);
        line_add_u32(&line, "w", 1);
        line_end(&line);
        bool cut = memmem(line.text, line.length, " cut=1*", 7) != NULL;
        bool whole = memmem(line.text, line.length, " w=1*", 5) != NULL;
        CHECK(line_ends_right(&line), "limit");
        CHECK(cut != whole, "limit");
        CHECK(!cut || memmem(line.text, line.length, " w=", 3) == NULL, "limit");
    }
}

static void test_plain(void)
{
    line_t line;
    line_begin_plain(&line, "");
    line_add_text(&line, "a", "x y");
    line_add_u32(&line, "b", 2);
    line_end(&line);
    CHECK(line.length == strlen("a=x y b=2\r\n") && line_is(&line, "a=x y b=2\r\n"), "plain");
}

void test_line(void)
{
    test_escapes();
    test_numbers();
    test_limit();
    test_plain();
}
