// SPDX-License-Identifier: MIT
#include "hex.h"

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

int hex_parse(const char *text, uint8_t *bytes, size_t room)
{
    size_t count = 0;
    for (; *text != '\0'; text += 2, count++) {
        int high = hex_digit(text[0]);
        int low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0 || count == room) {
            return STATUS_VALUE;
        }
        bytes[count] = (uint8_t)(high << 4 | low);
    }
    return (int)count;
}

void hex_format(const uint8_t *bytes, size_t length, char text[HEX_TEXT_BYTES])
{
    static const char s_digits[] = "0123456789ABCDEF";
    size_t count = length < HEX_MOST_BYTES ? length : HEX_MOST_BYTES;
    for (size_t i = 0; i < count; i++) {
        text[2u * i] = s_digits[bytes[i] >> 4];
        text[2u * i + 1u] = s_digits[bytes[i] & 0xFu];
    }
    text[2u * count] = '\0';
}
