// SPDX-License-Identifier: MIT
#include "ota_text.h"

#include "line.h"

#include <string.h>

void ota_text_add(ota_text_t *text, const char *piece)
{
    size_t count = strlen(piece);
    if (text->length < text->size && count < text->size - text->length) {
        memcpy(text->out + text->length, piece, count + 1u);
    }
    text->length += count;
}

void ota_text_add_u32(ota_text_t *text, uint32_t number)
{
    char digits[11];
    (void)line_format_u32(number, digits);
    ota_text_add(text, digits);
}

void ota_text_add_hex(ota_text_t *text, uint32_t number, unsigned digits)
{
    char buffer[9];
    line_format_hex(number, digits, buffer);
    ota_text_add(text, "0x");
    ota_text_add(text, buffer);
}

int ota_text_end(const ota_text_t *text)
{
    return text->length < text->size ? (int)text->length : STATUS_SPACE;
}
