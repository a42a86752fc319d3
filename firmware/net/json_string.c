// SPDX-License-Identifier: MIT
// Strings of JSON as UTF-8.
#include "json.h"

#include <string.h>

enum { SURROGATE_HIGH = 0xD800, SURROGATE_LOW = 0xDC00, SURROGATE_END = 0xE000 };

typedef struct {
    char *out;
    size_t size;
    size_t length; // goes on counting behind the end
} string_out_t;

static void string_put(string_out_t *out, uint32_t byte)
{
    if (out->length + 1u < out->size) {
        out->out[out->length] = (char)byte;
    }
    out->length++;
}

static void string_put_code(string_out_t *out, uint32_t code)
{
    if (code < 0x80u) {
        string_put(out, code);
        return;
    }
    if (code < 0x800u) {
        string_put(out, 0xC0u | code >> 6);
    } else {
        if (code < 0x10000u) {
            string_put(out, 0xE0u | code >> 12);
        } else {
            string_put(out, 0xF0u | code >> 18);
            string_put(out, 0x80u | (code >> 12 & 0x3Fu));
        }
        string_put(out, 0x80u | (code >> 6 & 0x3Fu));
    }
    string_put(out, 0x80u | (code & 0x3Fu));
}

// Four hexadecimal digits, which json_read() has seen.
static uint32_t string_unit(const char *digits)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        char digit = digits[i];
        uint32_t value = (uint32_t)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        unit = unit << 4 | value;
    }
    return unit;
}

// The character of a \u escape whose digits are at `at`; 0 if it is none. *used: of the text.
static uint32_t string_escaped_code(json_t value, size_t at, size_t *used)
{
    uint32_t high = string_unit(value.text + at);
    *used = 4;
    if (high < SURROGATE_HIGH || high >= SURROGATE_END) {
        return high;
    }
    bool pair = high < SURROGATE_LOW && at + 10u < value.length && value.text[at + 4u] == '\\' &&
                value.text[at + 5u] == 'u';
    uint32_t low = pair ? string_unit(value.text + at + 6u) : 0u;
    if (low < SURROGATE_LOW || low >= SURROGATE_END) {
        return 0;
    }
    *used = 10;
    return 0x10000u + ((high - SURROGATE_HIGH) << 10) + (low - SURROGATE_LOW);
}

// One character or escape at `at`; returns how much of the text it took, 0 if it is not allowed.
static size_t string_take(json_t value, size_t at, string_out_t *out)
{
    static const char s_escapes[] = "\"\\/bfnrt";
    static const char s_meant[] = "\"\\/\b\f\n\r\t";
    if (value.text[at] != '\\') {
        string_put(out, (unsigned char)value.text[at]);
        return 1;
    }
    char kind = value.text[at + 1u];
    if (kind != 'u') {
        string_put(out, (unsigned char)s_meant[strchr(s_escapes, kind) - s_escapes]);
        return 2;
    }
    size_t used;
    uint32_t code = string_escaped_code(value, at + 2u, &used);
    string_put_code(out, code);
    return code != 0u ? used + 2u : 0u;
}

int json_string(json_t value, char *out, size_t size)
{
    string_out_t to = {out, size, 0};
    if (value.length < 2u || value.text[0] != '"' || size == 0u) {
        return STATUS_VALUE;
    }
    for (size_t at = 1; at + 1u < value.length;) {
        size_t taken = string_take(value, at, &to);
        if (taken == 0u) {
            return STATUS_VALUE;
        }
        at += taken;
    }
    if (to.length >= size) {
        return STATUS_SPACE;
    }
    out[to.length] = '\0';
    return (int)to.length;
}
