// SPDX-License-Identifier: MIT
#include "request.h"

#include "crc16.h"

#include <string.h>

enum { CHECK_BYTES = 5, SEQ_MAX = 0x7FFFFFFF };

static int request_hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

// Cuts `*<CRC>` off and compares it with the bytes before it.
static status_t request_check_frame(char *frame, uint16_t *crc)
{
    size_t length = strlen(frame);
    if (length < CHECK_BYTES || frame[length - CHECK_BYTES] != '*') {
        return STATUS_CRC;
    }
    uint32_t claimed = 0;
    for (size_t i = length - CHECK_BYTES + 1u; i < length; i++) {
        int digit = request_hex_digit(frame[i]);
        if (digit < 0) {
            return STATUS_CRC;
        }
        claimed = claimed << 4 | (uint32_t)digit;
    }
    *crc = crc16_update(CRC16_INITIAL, frame, length - CHECK_BYTES);
    frame[length - CHECK_BYTES] = '\0';
    return *crc == claimed ? STATUS_OK : STATUS_CRC;
}

static status_t request_unescape(char *text)
{
    char *out = text;
    while (*text != '\0') {
        if (*text != '%') {
            *out++ = *text++;
            continue;
        }
        int high = request_hex_digit(text[1]);
        int low = high < 0 ? -1 : request_hex_digit(text[2]);
        if (low < 0 || (high == 0 && low == 0)) {
            return STATUS_SYNTAX;
        }
        *out++ = (char)(high << 4 | low);
        text += 3;
    }
    *out = '\0';
    return STATUS_OK;
}

// The next word of *rest, NUL terminated, or 0 at the end; words are parted by blanks.
static char *request_next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");
    if (*word == '\0') {
        return NULL;
    }
    char *end = word + strcspn(word, " \t");
    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return word;
}

static status_t request_add_field(request_t *request, char *word)
{
    if (request->count == REQUEST_MAX_FIELDS) {
        return STATUS_SYNTAX;
    }
    request_field_t *field = &request->fields[request->count++];
    char *equals = strchr(word, '=');
    field->key = equals != NULL ? word : NULL;
    field->value = equals != NULL ? equals + 1 : word;
    if (equals != NULL) {
        *equals = '\0';
        return request_unescape(equals + 1);
    }
    return request_unescape(word);
}

static status_t request_parse_words(char *rest, request_t *request)
{
    char *word = request_next_word(&rest);
    request->command = word != NULL ? word : "";
    while ((word = request_next_word(&rest)) != NULL) {
        status_t status = request_add_field(request, word);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

status_t request_parse(char *line, request_t *request)
{
    memset(request, 0, sizeof *request);
    request->command = "";
    char *at = strrchr(line, '@');
    if (at == NULL) {
        return request_parse_words(line, request);
    }
    request->framed = true;
    status_t status = request_check_frame(at + 1, &request->crc);
    if (status != STATUS_OK) {
        return status;
    }
    char *rest = at + 1;
    char *number = request_next_word(&rest);
    int32_t seq = 0;
    if (number == NULL || request_parse_number(number, 1, SEQ_MAX, &seq) != STATUS_OK) {
        return STATUS_SYNTAX;
    }
    request->seq = (uint32_t)seq;
    status = request_parse_words(rest, request);
    return status == STATUS_OK && request->command[0] == '\0' ? STATUS_SYNTAX : status;
}

// Digits of `base` alone, and few enough that their value fits.
static bool request_parse_digits(const char *text, unsigned base, int64_t *value)
{
    static const char s_digits[] = "0123456789ABCDEFabcdef";
    const char *allowed = base == 16u ? s_digits : "0123456789";
    size_t count = strlen(text);
    if (count == 0u || count > 10u || strspn(text, allowed) != count) {
        return false;
    }
    *value = 0;
    for (; *text != '\0'; text++) {
        int64_t digit = strchr(s_digits, *text) - s_digits;
        *value = *value * (int64_t)base + (digit < 16 ? digit : digit - 6);
    }
    return true;
}

status_t request_parse_number(const char *text, int32_t low, int32_t high, int32_t *number)
{
    bool hexadecimal = strncmp(text, "0x", 2) == 0;
    bool negative = *text == '-';
    int64_t value;
    text += hexadecimal ? 2 : negative;
    if (!request_parse_digits(text, hexadecimal ? 16 : 10, &value)) {
        return STATUS_VALUE;
    }
    value = negative ? -value : value;
    if (value < low || value > high) {
        return STATUS_VALUE;
    }
    *number = (int32_t)value;
    return STATUS_OK;
}
