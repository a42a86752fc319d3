// SPDX-License-Identifier: MIT
// Reads what a Wi-Fi module says by the ESP-AT commands: lines, the prompt `>`, and data of a known
// length. Pure; a parser belongs to its caller and keeps at most one line. Whatever comes, it goes
// on with the next line: what it cannot read is counted as garbage.
#ifndef AT_PARSER_H
#define AT_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AT_LINE_BYTES = 256, AT_LINKS = 5 };

typedef enum {
    AT_NOTHING, // no item ended with these bytes
    AT_OK,
    AT_ERROR, // also FAIL
    AT_BUSY,  // another command is still at work
    AT_SEND_OK,
    AT_SEND_FAIL,
    AT_READY,   // the module has started
    AT_PROMPT,  // it waits for the data of a send
    AT_JOINED,  // WIFI CONNECTED
    AT_ADDRESS, // WIFI GOT IP
    AT_LEFT,    // WIFI DISCONNECT
    AT_CONNECT, // connection `link` is open
    AT_CLOSED,  // connection `link` is gone
    AT_WAITING, // `count` bytes of connection `link` can be asked for
    AT_DATA,    // `length` bytes at `text`, a piece of what was asked for
    AT_TEXT,    // any other line, NUL terminated at `text`
} at_kind_t;

// Text and data stand in the parser or in the bytes fed, until the next feed.
typedef struct {
    at_kind_t kind;
    uint32_t link;
    uint32_t count;
    const char *text;
    size_t length;
} at_item_t;

typedef struct {
    char line[AT_LINE_BYTES];
    size_t length;    // of the line so far; counts on behind the end
    uint32_t missing; // bytes of data still to come
    uint32_t allowed; // most bytes of data that were asked for; 0: none was
    uint32_t garbage; // lines that were too long, or not printable
} at_parser_t;

// Forgets a half line and data to come; counts stay. All zeros is a parser that has forgotten.
void at_parser_reset(at_parser_t *parser);

// From now on an answer may bring data, at most `most` bytes; 0: none.
void at_parser_allow(at_parser_t *parser, uint32_t most);

// Takes bytes up to the end of one item, fills *item in, and returns how many it took; at least
// one, if `length` is not 0.
size_t at_parser_feed(at_parser_t *parser, const uint8_t *bytes, size_t length, at_item_t *item);

#endif
