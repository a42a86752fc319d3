// SPDX-License-Identifier: MIT
// Hexadecimal bytes and the pattern: what crosses the console for a payload, and what stands for
// one.
#include "hex.h"
#include "host_units.h"
#include "pattern.h"

#include <string.h>

typedef struct {
    const char *text;
    int count; // or a status
    uint8_t bytes[4];
} hex_row_t;

static const hex_row_t s_hex[] = {
    {"", 0, {0}},
    {"00", 1, {0}},
    {"0aF9", 2, {0x0A, 0xF9}},
    {"DEADBEEF", 4, {0xDE, 0xAD, 0xBE, 0xEF}},
    {"0", STATUS_VALUE, {0}},
    {"000", STATUS_VALUE, {0}},
    {"0G", STATUS_VALUE, {0}},
    {"G0", STATUS_VALUE, {0}},
    {" 00", STATUS_VALUE, {0}},
    {"0@", STATUS_VALUE, {0}}, // one before a letter, with and without the bit of lower case
    {"0`", STATUS_VALUE, {0}},
    {"0102030405", STATUS_VALUE, {0}}, // more than there is room for
};

static void test_payloads_hex(void)
{
    for (size_t i = 0; i < sizeof s_hex / sizeof s_hex[0]; i++) {
        const hex_row_t *row = &s_hex[i];
        uint8_t bytes[4];
        char text[HEX_TEXT_BYTES];
        int count = hex_parse(row->text, bytes, sizeof bytes);
        CHECK(count == row->count, row->text);
        if (count > 0) {
            CHECK(memcmp(bytes, row->bytes, (size_t)count) == 0, row->text);
            hex_format(bytes, (size_t)count, text);
            CHECK(strlen(text) == strlen(row->text), row->text);
            CHECK(hex_parse(text, bytes, sizeof bytes) == count, row->text);
        }
    }
}

static void test_payloads_longest_hex(void)
{
    uint8_t bytes[HEX_MOST_BYTES + 1] = {0};
    char text[HEX_TEXT_BYTES];
    hex_format(bytes, sizeof bytes, text);
    CHECK(strlen(text) == HEX_TEXT_BYTES - 1u, "no more than fits");
}

static void test_payloads_pattern(void)
{
    uint8_t whole[64], piece[64];
    pattern_fill(5, 0, whole, sizeof whole);
    for (uint32_t from = 0; from < sizeof whole; from++) {
        pattern_fill(5, from, piece, sizeof whole - from);
        CHECK(memcmp(piece, whole + from, sizeof whole - from) == 0, "a piece of it");
        CHECK(pattern_match(5, from, piece, sizeof whole - from) == sizeof whole - from, "matches");
    }
    whole[40] ^= 1u;
    CHECK(pattern_match(5, 0, whole, sizeof whole) == 40u, "up to the wrong byte");
    CHECK(pattern_match(6, 0, whole, 4) < 4u, "another seed");
}

void test_payloads(void)
{
    test_payloads_hex();
    test_payloads_longest_hex();
    test_payloads_pattern();
}
