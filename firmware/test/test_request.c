// SPDX-License-Identifier: MIT
// Input lines: what is a request, and what damage is told from what.
#include "crc16.h"
#include "host_units.h"
#include "line.h"
#include "request.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    const char *text; // `#` at its end stands for the right check value of the last frame
    status_t status;
    uint32_t seq;
    const char *command;
    const char *fields; // key=value of all fields, parted by `|`; `-` for no key
} request_row_t;

static const request_row_t s_requests[] = {
    {"@1 ping#", STATUS_OK, 1, "ping", ""},
    {"@2147483647 a b=c d=e%20f#", STATUS_OK, 2147483647, "a", "b=c|d=e f|"},
    {"@12 pi@13 ping#", STATUS_OK, 13, "ping", ""},
    {"noise \xFF@5 ping x#", STATUS_OK, 5, "ping", "-=x|"},
    {"@5 k=v#", STATUS_OK, 5, "k=v", ""},
    {"@5 ping e==#", STATUS_OK, 5, "ping", "e==|"},
    {"@1 ping*29b1", STATUS_CRC, 0, "", ""},
    {"@1 ping*0000", STATUS_CRC, 0, "", ""},
    {"@1 ping*", STATUS_CRC, 0, "", ""},
    {"@1 ping", STATUS_CRC, 0, "", ""},
    {"@", STATUS_CRC, 0, "", ""},
    {"@#", STATUS_SYNTAX, 0, "", ""},
    {"@0 ping#", STATUS_SYNTAX, 0, "", ""},
    {"@2147483648 ping#", STATUS_SYNTAX, 0, "", ""},
    {"@99999999999999999999 ping#", STATUS_SYNTAX, 0, "", ""},
    {"@-1 ping#", STATUS_SYNTAX, 0, "", ""},
    {"@x ping#", STATUS_SYNTAX, 0, "", ""},
    {"@3#", STATUS_SYNTAX, 3, "", ""},
    {"@4 a b=%#", STATUS_SYNTAX, 4, "a", NULL},
    {"@4 a b=%2#", STATUS_SYNTAX, 4, "a", NULL},
    {"@4 a b=%GG#", STATUS_SYNTAX, 4, "a", NULL},
    {"@4 a b=%2f#", STATUS_SYNTAX, 4, "a", NULL},
    {"@4 a b=%00#", STATUS_SYNTAX, 4, "a", NULL},
    {"@4 a 1 2 3 4 5 6 7 8#", STATUS_OK, 4, "a", "-=1|-=2|-=3|-=4|-=5|-=6|-=7|-=8|"},
    {"@4 a 1 2 3 4 5 6 7 8 9 10 11#", STATUS_SYNTAX, 4, "a", NULL},
    {"help", STATUS_OK, 0, "help", ""},
    {"  help \t id  ", STATUS_OK, 0, "help", "-=id|"},
    {"", STATUS_OK, 0, "", ""},
};

static void request_write_fields(const request_t *request, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < request->count; i++) {
        const request_field_t *field = &request->fields[i];
        const char *key = field->key != NULL ? field->key : "-";
        at += (size_t)snprintf(out + at, size - at, "%s=%s|", key, field->value);
    }
}

static void request_complete(const char *text, char *line)
{
    strcpy(line, text);
    char *mark = strchr(line, '#');
    if (mark != NULL) {
        const char *frame = strrchr(line, '@') + 1;
        uint16_t crc = crc16_update(CRC16_INITIAL, frame, (size_t)(mark - frame));
        *mark = '*';
        line_format_hex(crc, 4, mark + 1);
    }
}

static void test_requests(void)
{
    for (size_t i = 0; i < sizeof s_requests / sizeof s_requests[0]; i++) {
        const request_row_t *row = &s_requests[i];
        char line[LINE_MAX_BYTES];
        char fields[LINE_MAX_BYTES];
        request_t request;
        request_complete(row->text, line);
        CHECK(request_parse(line, &request) == row->status, row->text);
        CHECK(request.seq == row->seq, row->text);
        CHECK(strcmp(request.command, row->command) == 0, row->text);
        request_write_fields(&request, fields, sizeof fields);
        CHECK(row->fields == NULL || strcmp(fields, row->fields) == 0, row->text);
    }
}

typedef struct {
    const char *text;
    int32_t low;
    int32_t high;
    status_t status;
    int32_t number;
} number_row_t;

static const number_row_t s_numbers[] = {
    {"0", 0, 0, STATUS_OK, 0},
    {"4096", 1, 4096, STATUS_OK, 4096},
    {"4097", 1, 4096, STATUS_VALUE, 0},
    {"-5", -5, 5, STATUS_OK, -5},
    {"-2147483648", INT32_MIN, INT32_MAX, STATUS_OK, INT32_MIN},
    {"2147483647", INT32_MIN, INT32_MAX, STATUS_OK, INT32_MAX},
    {"2147483648", INT32_MIN, INT32_MAX, STATUS_VALUE, 0},
    {"0x21FfF000", 0, INT32_MAX, STATUS_OK, 0x21FFF000},
    {"0x0", 0, 9, STATUS_OK, 0},
    {"0x", 0, 9, STATUS_VALUE, 0},
    {"-0x1", -9, 9, STATUS_VALUE, 0},
    {"0x-1", -9, 9, STATUS_VALUE, 0},
    {"0xFFFFFFFF", INT32_MIN, INT32_MAX, STATUS_VALUE, 0},
    {"1F", 0, 99, STATUS_VALUE, 0},
    {"", 0, 9, STATUS_VALUE, 0},
    {"-", -9, 9, STATUS_VALUE, 0},
    {"1x", 0, 9, STATUS_VALUE, 0},
    {" 1", 0, 9, STATUS_VALUE, 0},
    {"+1", 0, 9, STATUS_VALUE, 0},
    {"99999999999999999999", 0, INT32_MAX, STATUS_VALUE, 0},
};

// Every single-bit error of a frame is refused.
static void test_bit_errors(void)
{
    const char *text = "@17 bench.run id=sched.yield.self n=1000#";
    char whole[LINE_MAX_BYTES];
    request_complete(text, whole);
    for (size_t bit = 8; bit < 8u * strlen(whole); bit++) {
        char line[LINE_MAX_BYTES];
        request_t request;
        strcpy(line, whole);
        line[bit / 8u] = (char)(line[bit / 8u] ^ (1 << bit % 8u));
        CHECK(request_parse(line, &request) != STATUS_OK, "bit error");
    }
}

void test_request(void)
{
    test_requests();
    test_bit_errors();
    for (size_t i = 0; i < sizeof s_numbers / sizeof s_numbers[0]; i++) {
        const number_row_t *row = &s_numbers[i];
        int32_t number = 0;
        CHECK(request_parse_number(row->text, row->low, row->high, &number) == row->status,
              row->text);
        CHECK(number == row->number, row->text);
    }
}
