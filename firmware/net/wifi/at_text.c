// SPDX-License-Identifier: MIT
#include "at_text.h"

#include "line.h"

#include <string.h>

static bool text_is_control(char byte)
{
    return (uint8_t)byte < ' ' || byte == 0x7F;
}

// ---- building ----------------------------------------------------------------------------------

static void text_put(at_text_t *command, char byte)
{
    if (command->length + 1u < sizeof command->text) {
        command->text[command->length++] = byte;
        command->text[command->length] = '\0';
    } else {
        command->unfit = true;
    }
}

void at_text_begin(at_text_t *command, const char *begin)
{
    command->length = 0;
    command->text[0] = '\0';
    command->unfit = false;
    at_text_add(command, begin);
}

void at_text_add(at_text_t *command, const char *text)
{
    while (*text != '\0') {
        text_put(command, *text++);
    }
}

void at_text_add_number(at_text_t *command, uint32_t number)
{
    char digits[11];
    (void)line_format_u32(number, digits);
    at_text_add(command, digits);
}

void at_text_add_quoted(at_text_t *command, const char *text)
{
    text_put(command, '"');
    for (; *text != '\0'; text++) {
        command->unfit |= text_is_control(*text);
        if (*text == '"' || *text == ',' || *text == '\\') {
            text_put(command, '\\');
        }
        text_put(command, *text);
    }
    text_put(command, '"');
}

// ---- reading -----------------------------------------------------------------------------------

// One field at *at, which is moved to the comma or the end behind it; false if it does not fit.
static bool text_take_field(const char **at, char *out, size_t size)
{
    size_t length = 0;
    bool quoted = **at == '"';
    *at += quoted ? 1 : 0;
    while (**at != '\0' && **at != (quoted ? '"' : ',')) {
        bool escape = quoted && **at == '\\' && (*at)[1] != '\0';
        *at += escape ? 1 : 0;
        if (length + 1u < size) {
            out[length] = **at;
        }
        length++;
        (*at)++;
    }
    *at += strcspn(*at, ",");
    if (length >= size) {
        return false;
    }
    out[length] = '\0';
    return true;
}

bool at_text_field(const char *text, size_t index, char *out, size_t size)
{
    for (;;) {
        bool fits = text_take_field(&text, out, size);
        if (index == 0u) {
            return fits;
        }
        if (*text == '\0') {
            return false;
        }
        text++;
        index--;
    }
}

bool at_text_number(const char *text, size_t index, int32_t *number)
{
    char digits[12];
    if (!at_text_field(text, index, digits, sizeof digits)) {
        return false;
    }
    const char *at = digits[0] == '-' ? digits + 1 : digits;
    size_t length = strlen(at);
    int32_t value = 0;
    if (length == 0u || length > 9u || strspn(at, "0123456789") != length) {
        return false;
    }
    while (*at != '\0') {
        value = value * 10 + (*at++ - '0');
    }
    *number = digits[0] == '-' ? -value : value;
    return true;
}

bool at_text_address(const char *text, uint8_t address[4])
{
    for (size_t i = 0; i < 4u; i++) {
        uint32_t value = 0;
        size_t digits = strspn(text, "0123456789");
        if (digits == 0u || digits > 3u) {
            return false;
        }
        for (size_t k = 0; k < digits; k++) {
            value = value * 10u + (uint32_t)(*text++ - '0');
        }
        if (value > 255u || *text != (i == 3u ? '\0' : '.')) {
            return false;
        }
        text += i == 3u ? 0 : 1;
        address[i] = (uint8_t)value;
    }
    return true;
}

static int text_digit(char character)
{
    static const char s_digits[] = "0123456789abcdefABCDEF";
    const char *at = character == '\0' ? NULL : strchr(s_digits, character);
    int value = at == NULL ? -1 : (int)(at - s_digits);
    return value < 16 ? value : value - 6;
}

bool at_text_mac(const char *text, uint8_t mac[6])
{
    if (strlen(text) != WIFI_MAC_TEXT_BYTES - 1u) {
        return false;
    }
    for (size_t i = 0; i < 6u; i++) {
        int high = text_digit(text[3u * i]);
        int low = text_digit(text[3u * i + 1u]);
        if (high < 0 || low < 0 || (i < 5u && text[3u * i + 2u] != ':')) {
            return false;
        }
        mac[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

// ---- what may be a name and a key --------------------------------------------------------------

static status_t text_check(const char *text, size_t shortest, size_t longest)
{
    size_t length = strlen(text);
    if (length > longest) {
        return STATUS_LONG;
    }
    for (size_t i = 0; i < length; i++) {
        if (text_is_control(text[i])) {
            return STATUS_VALUE;
        }
    }
    return length < shortest ? STATUS_VALUE : STATUS_OK;
}

status_t wifi_check_ssid(const char *ssid)
{
    return text_check(ssid, 1, WIFI_SSID_BYTES);
}

status_t wifi_check_key(const char *key, wifi_security_t security)
{
    if (security == WIFI_OPEN) {
        return key[0] == '\0' ? STATUS_OK : STATUS_VALUE;
    }
    return text_check(key, WIFI_KEY_SHORTEST, WIFI_KEY_BYTES);
}
