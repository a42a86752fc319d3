// SPDX-License-Identifier: MIT
// Forms: ESP-AT User Guide, "TCP/IP AT Commands" and "AT Messages".
#include "at_parser.h"

#include <string.h>

typedef struct {
    const char *text;
    at_kind_t kind;
} word_t;

// Lines that are one item as they stand.
static const word_t s_words[] = {
    {"OK", AT_OK},
    {"ERROR", AT_ERROR},
    {"FAIL", AT_ERROR},
    {"busy p...", AT_BUSY},
    {"busy s...", AT_BUSY},
    {"SEND OK", AT_SEND_OK},
    {"SEND FAIL", AT_SEND_FAIL},
    {"ready", AT_READY},
    {"WIFI CONNECTED", AT_JOINED},
    {"WIFI GOT IP", AT_ADDRESS},
    {"WIFI DISCONNECT", AT_LEFT},
};

static const char s_received[] = "+CIPRECVDATA:";
static const char s_waiting[] = "+IPD,";

enum { COUNT_MOST = 100000 }; // no module keeps as much; more is garbage

void at_parser_reset(at_parser_t *parser)
{
    parser->length = 0;
    parser->missing = 0;
    parser->allowed = 0;
}

void at_parser_allow(at_parser_t *parser, uint32_t most)
{
    parser->allowed = most;
}

// A decimal number at *at, which is moved behind it; false if there is none or it is too large.
static bool parser_number(const char **at, uint32_t *value)
{
    const char *begin = *at;
    *value = 0;
    while (**at >= '0' && **at <= '9' && *value < COUNT_MOST) {
        *value = *value * 10u + (uint32_t)(**at - '0');
        (*at)++;
    }
    return *at != begin && *value < COUNT_MOST;
}

static bool parser_link(const char **at, uint32_t *link)
{
    return parser_number(at, link) && *link < AT_LINKS;
}

// `<link>,CONNECT` or `<link>,CLOSED`.
static bool parser_is_link_word(const char *line, at_item_t *item)
{
    if (!parser_link(&line, &item->link)) {
        return false;
    }
    bool open = strcmp(line, ",CONNECT") == 0;
    item->kind = open ? AT_CONNECT : AT_CLOSED;
    return open || strcmp(line, ",CLOSED") == 0;
}

// `+IPD,<link>,<count>`.
static bool parser_is_waiting(const char *line, at_item_t *item)
{
    if (strncmp(line, s_waiting, sizeof s_waiting - 1u) != 0) {
        return false;
    }
    line += sizeof s_waiting - 1u;
    if (!parser_link(&line, &item->link) || *line++ != ',') {
        return false;
    }
    item->kind = AT_WAITING;
    return parser_number(&line, &item->count) && *line == '\0';
}

static bool parser_is_printable(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((uint8_t)line[i] < ' ' || line[i] == 0x7F) {
            return false;
        }
    }
    return true;
}

static void parser_classify(const at_parser_t *parser, at_item_t *item)
{
    for (size_t i = 0; i < sizeof s_words / sizeof s_words[0]; i++) {
        if (strcmp(parser->line, s_words[i].text) == 0) {
            item->kind = s_words[i].kind;
            return;
        }
    }
    if (parser_is_link_word(parser->line, item) || parser_is_waiting(parser->line, item)) {
        return;
    }
    item->kind = AT_TEXT;
    item->text = parser->line;
    item->length = parser->length;
}

static void parser_end_line(at_parser_t *parser, at_item_t *item)
{
    size_t length = parser->length;
    if (length >= sizeof parser->line || !parser_is_printable(parser->line, length)) {
        parser->garbage++;
    } else if (length > 0u) {
        parser->line[length] = '\0';
        parser_classify(parser, item);
    }
    parser->length = 0;
}

// At a comma: whether the line so far is `+CIPRECVDATA:<count>` and brings what was asked for.
static bool parser_begins_data(at_parser_t *parser)
{
    size_t head = sizeof s_received - 1u;
    if (parser->length <= head || parser->length >= sizeof parser->line ||
        memcmp(parser->line, s_received, head) != 0) {
        return false;
    }
    uint32_t count = 0;
    const char *at = parser->line + head;
    parser->line[parser->length] = '\0';
    if (!parser_number(&at, &count) || *at != '\0' || count > parser->allowed) {
        return false;
    }
    parser->missing = count;
    parser->allowed = 0;
    parser->length = 0;
    return true;
}

static void parser_take(at_parser_t *parser, char byte, at_item_t *item)
{
    if (byte == '\n') {
        parser_end_line(parser, item);
    } else if (byte == '>' && parser->length == 0u) {
        item->kind = AT_PROMPT;
    } else if (byte != '\r' && !(byte == ',' && parser_begins_data(parser))) {
        if (parser->length < sizeof parser->line - 1u) {
            parser->line[parser->length] = byte;
        }
        parser->length += parser->length < sizeof parser->line ? 1u : 0u;
    }
}

static size_t parser_take_data(at_parser_t *parser, const uint8_t *bytes, size_t length,
                               at_item_t *item)
{
    size_t taken = length < parser->missing ? length : parser->missing;
    item->kind = AT_DATA;
    item->text = (const char *)bytes;
    item->length = taken;
    parser->missing -= (uint32_t)taken;
    return taken;
}

size_t at_parser_feed(at_parser_t *parser, const uint8_t *bytes, size_t length, at_item_t *item)
{
    *item = (at_item_t){.kind = AT_NOTHING};
    size_t taken = 0;
    while (taken < length && item->kind == AT_NOTHING) {
        if (parser->missing > 0u) {
            return taken + parser_take_data(parser, bytes + taken, length - taken, item);
        }
        parser_take(parser, (char)bytes[taken++], item);
    }
    return taken;
}
