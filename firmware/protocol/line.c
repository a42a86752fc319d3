// SPDX-License-Identifier: MIT
#include "line.h"

#include "crc16.h"

#include <string.h>

static const char s_hex[] = "0123456789ABCDEF";

size_t line_format_u32(uint32_t value, char *out)
{
    char reversed[10];
    size_t count = 0;
    do {
        reversed[count++] = (char)('0' + (char)(value % 10u));
        value /= 10u;
    } while (value != 0u);
    for (size_t i = 0; i < count; i++) {
        out[i] = reversed[count - 1u - i];
    }
    out[count] = '\0';
    return count;
}

void line_format_hex(uint32_t value, unsigned digits, char *out)
{
    for (unsigned i = 0; i < digits; i++) {
        out[i] = s_hex[(value >> (4u * (digits - 1u - i))) & 0xFu];
    }
    out[digits] = '\0';
}

static bool line_is_plain_byte(char byte)
{
    bool letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
    return letter || (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("_.,:/+-", byte));
}

static bool line_put(line_t *line, const char *text, size_t length)
{
    if (line->cut || line->length + length > LINE_MAX_BYTES - LINE_TAIL_BYTES) {
        line->cut = true;
        return false;
    }
    memcpy(line->text + line->length, text, length);
    line->length += length;
    return true;
}

static bool line_put_byte(line_t *line, char byte)
{
    unsigned char code = (unsigned char)byte;
    char escaped[3] = {'%', s_hex[code >> 4], s_hex[code & 0xFu]};
    if (!line->framed || line_is_plain_byte(byte)) {
        return line_put(line, &byte, 1);
    }
    return line_put(line, escaped, sizeof escaped);
}

static void line_begin(line_t *line, bool framed)
{
    line->length = 0;
    line->framed = framed;
    line->cut = false;
}

static void line_put_u32(line_t *line, uint32_t value)
{
    char digits[11];
    size_t length = line_format_u32(value, digits);
    (void)line_put(line, digits, length);
}

void line_begin_reply(line_t *line, uint32_t seq, uint32_t index, const char *kind)
{
    line_begin(line, true);
    line_add_raw(line, "$");
    line_put_u32(line, seq);
    line_add_raw(line, ".");
    line_put_u32(line, index);
    line_add_raw(line, " ");
    line_add_raw(line, kind);
}

void line_begin_event(line_t *line, uint32_t index, const char *name)
{
    line_begin(line, true);
    line_add_raw(line, "$!");
    line_put_u32(line, index);
    line_add_raw(line, " ");
    line_add_raw(line, name);
}

void line_begin_plain(line_t *line, const char *kind)
{
    line_begin(line, false);
    line_add_raw(line, kind);
}

void line_add_raw(line_t *line, const char *text)
{
    (void)line_put(line, text, strlen(text));
}

void line_add_text(line_t *line, const char *key, const char *value)
{
    size_t before = line->length;
    bool fits = (before == 0u || line_put(line, " ", 1)) && line_put(line, key, strlen(key)) &&
                line_put(line, "=", 1);
    for (; fits && *value != '\0'; value++) {
        fits = line_put_byte(line, *value);
    }
    if (!fits) {
        line->length = before;
    }
}

void line_add_u32(line_t *line, const char *key, uint32_t value)
{
    char digits[11];
    (void)line_format_u32(value, digits);
    line_add_text(line, key, digits);
}

void line_add_i32(line_t *line, const char *key, int32_t value)
{
    char text[12] = "-";
    uint32_t size = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    (void)line_format_u32(size, text + 1);
    line_add_text(line, key, value < 0 ? text : text + 1);
}

void line_add_hex(line_t *line, const char *key, uint32_t value, unsigned digits)
{
    char text[9];
    line_format_hex(value, digits, text);
    line_add_text(line, key, text);
}

void line_add_address(line_t *line, const char *key, uint32_t value)
{
    char text[11] = "0x";
    line_format_hex(value, 8, text + 2);
    line_add_text(line, key, text);
}

// The tail was kept free by line_put, so it always fits.
void line_end(line_t *line)
{
    char check[5];
    if (line->cut) {
        memcpy(line->text + line->length, " cut=1", 6);
        line->length += 6u;
    }
    if (line->framed) {
        line_format_hex(crc16_update(CRC16_INITIAL, line->text + 1, line->length - 1u), 4, check);
        line->text[line->length++] = '*';
        memcpy(line->text + line->length, check, 4);
        line->length += 4u;
    }
    memcpy(line->text + line->length, "\r\n", 2);
    line->length += 2u;
}
