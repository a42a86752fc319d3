// SPDX-License-Identifier: MIT
#include "cbor.h"

#include <string.h>

enum { MAJOR_SHIFT = 5, INFO_MASK = 0x1F, INFO_ONE_BYTE = 24, INFO_EIGHT_BYTES = 27 };

static size_t cbor_left(const cbor_t *reader)
{
    return reader->length - reader->at;
}

// The number behind a head's first byte: in its low bits, or in 1, 2, 4 or 8 bytes more.
static bool cbor_argument(cbor_t *reader, unsigned info, uint64_t *value)
{
    *value = info;
    if (info < INFO_ONE_BYTE) {
        return true;
    }
    size_t count = (size_t)1 << (info - INFO_ONE_BYTE);
    if (info > INFO_EIGHT_BYTES || cbor_left(reader) < count) {
        return false;
    }
    *value = 0;
    for (size_t i = 0; i < count; i++) {
        *value = *value << 8u | reader->bytes[reader->at++];
    }
    return true;
}

// How many items an item holds; more than there are bytes left is refused by the caller.
static uint64_t cbor_held(const cbor_item_t *item)
{
    switch (item->type) {
    case CBOR_ARRAY:
        return item->value;
    case CBOR_MAP:
        return item->value > UINT32_MAX ? UINT64_MAX : 2u * item->value;
    case CBOR_TAG:
        return 1;
    default:
        return 0;
    }
}

bool cbor_next(cbor_t *reader, cbor_item_t *item)
{
    if (cbor_left(reader) == 0u) {
        return false;
    }
    unsigned first = reader->bytes[reader->at++];
    item->type = (cbor_type_t)(first >> MAJOR_SHIFT);
    item->bytes = NULL;
    if (!cbor_argument(reader, first & INFO_MASK, &item->value)) {
        return false;
    }
    if (item->type == CBOR_BYTES || item->type == CBOR_TEXT) {
        if (item->value > cbor_left(reader)) {
            return false;
        }
        item->bytes = reader->bytes + reader->at;
        reader->at += (size_t)item->value;
    }
    return cbor_held(item) <= cbor_left(reader);
}

bool cbor_skip(cbor_t *reader, const cbor_item_t *item)
{
    uint64_t pending = cbor_held(item);
    while (pending > 0u) {
        cbor_item_t inner;
        if (pending > cbor_left(reader) || !cbor_next(reader, &inner)) {
            return false;
        }
        pending += cbor_held(&inner) - 1u;
    }
    return true;
}

static bool cbor_is_key(const cbor_item_t *item, const char *key)
{
    size_t length = strlen(key);
    return item->type == CBOR_TEXT && item->value == length &&
           memcmp(item->bytes, key, length) == 0;
}

bool cbor_member(const cbor_t *reader, const char *key, cbor_item_t *value)
{
    cbor_t place = *reader;
    cbor_item_t map, name;
    if (!cbor_next(&place, &map) || map.type != CBOR_MAP) {
        return false;
    }
    for (uint64_t i = 0; i < map.value; i++) {
        if (!cbor_next(&place, &name) || !cbor_skip(&place, &name) || !cbor_next(&place, value)) {
            return false;
        }
        if (cbor_is_key(&name, key)) {
            return true;
        }
        if (!cbor_skip(&place, value)) {
            return false;
        }
    }
    return false;
}

bool cbor_member_u32(const cbor_t *reader, const char *key, uint32_t *number)
{
    cbor_item_t item;
    if (!cbor_member(reader, key, &item) || item.type != CBOR_NUMBER || item.value > UINT32_MAX) {
        return false;
    }
    *number = (uint32_t)item.value;
    return true;
}

bool cbor_is_whole(const uint8_t *bytes, size_t length)
{
    cbor_t reader = {bytes, length, 0};
    cbor_item_t item;
    return cbor_next(&reader, &item) && cbor_skip(&reader, &item) && reader.at == length;
}

static void cbor_put(cbor_writer_t *writer, const uint8_t *bytes, size_t length)
{
    if (length > 0u && writer->length <= writer->size && length <= writer->size - writer->length) {
        memcpy(writer->out + writer->length, bytes, length);
    }
    writer->length += length;
}

void cbor_put_head(cbor_writer_t *writer, cbor_type_t type, uint32_t value)
{
    unsigned info = value < INFO_ONE_BYTE ? value
                    : value <= UINT8_MAX  ? 24u
                    : value <= UINT16_MAX ? 25u
                                          : 26u;
    uint8_t head[5] = {(uint8_t)((unsigned)type << MAJOR_SHIFT | info)};
    size_t count = info < INFO_ONE_BYTE ? 0u : (size_t)1 << (info - INFO_ONE_BYTE);
    for (size_t i = 0; i < count; i++) {
        head[1u + i] = (uint8_t)(value >> 8u * (count - 1u - i));
    }
    cbor_put(writer, head, 1u + count);
}

void cbor_put_bytes(cbor_writer_t *writer, const uint8_t *bytes, size_t length)
{
    cbor_put_head(writer, CBOR_BYTES, (uint32_t)length);
    cbor_put(writer, bytes, length);
}

void cbor_put_text(cbor_writer_t *writer, const char *text)
{
    size_t length = strlen(text);
    cbor_put_head(writer, CBOR_TEXT, (uint32_t)length);
    cbor_put(writer, (const uint8_t *)text, length);
}
