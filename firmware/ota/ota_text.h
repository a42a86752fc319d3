// SPDX-License-Identifier: MIT
// Builds short texts, such as topics and JSON of known members. Pure. `length` counts on where it
// does not fit; the text ends with NUL as far as it fits.
#ifndef OTA_TEXT_H
#define OTA_TEXT_H

#include "status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    char *out;
    size_t size, length;
} ota_text_t;

void ota_text_add(ota_text_t *text, const char *piece);
void ota_text_add_u32(ota_text_t *text, uint32_t number);
void ota_text_add_hex(ota_text_t *text, uint32_t number, unsigned digits); // 0x before it

// Its length, or STATUS_SPACE.
int ota_text_end(const ota_text_t *text);

#endif
