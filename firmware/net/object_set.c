// SPDX-License-Identifier: MIT
#include "object_set.h"

#include <string.h>

enum {
    VERSION = 1,
    SET_HEADER = 6,
    OBJECT_HEADER = 6,
    KIND_FIRST = 1,
    KIND_LAST = 3,
    KIND_PRIVATE_KEY = 3
};

static const uint8_t s_magic[4] = {'R', 'I', 'G', 'O'};

object_t *object_set_take(object_set_t *set)
{
    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        object_t *object = &set->items[i];
        if (object->kind == 0u) {
            uint16_t generation = (uint16_t)(object->generation + 1u);
            memset(object, 0, sizeof *object);
            object->generation = generation;
            return object;
        }
    }
    return NULL;
}

void object_set_free(object_t *object)
{
    uint16_t generation = object->generation;
    memset(object, 0, sizeof *object);
    object->generation = generation;
}

void object_set_clear(object_set_t *set)
{
    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        object_set_free(&set->items[i]);
        set->items[i].generation++;
    }
}

object_t *object_set_find(object_set_t *set, uint8_t kind, const void *label, size_t length)
{
    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        object_t *object = &set->items[i];
        if (object->kind == kind && (object->flags & OBJECT_FLAG_TOKEN) != 0u &&
            object->label_length == length && memcmp(object->label, label, length) == 0) {
            return object;
        }
    }
    return NULL;
}

// ---- writing -----------------------------------------------------------------------------------

static size_t object_size(const object_t *object)
{
    return (size_t)OBJECT_HEADER + object->label_length + object->id_length + object->length;
}

static uint8_t *object_put(uint8_t *at, const void *bytes, size_t length)
{
    memcpy(at, bytes, length);
    return at + length;
}

static void object_write(const object_t *object, uint8_t *at)
{
    const uint8_t header[OBJECT_HEADER] = {
        object->kind,      object->flags,           object->label_length,
        object->id_length, (uint8_t)object->length, (uint8_t)(object->length >> 8)};
    at = object_put(at, header, sizeof header);
    at = object_put(at, object->label, object->label_length);
    at = object_put(at, object->id, object->id_length);
    (void)object_put(at, object->value, object->length);
}

int32_t object_set_encode(const object_set_t *set, uint8_t *bytes, size_t size)
{
    size_t at = SET_HEADER;
    uint8_t count = 0;
    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        const object_t *object = &set->items[i];
        if (object->kind == 0u || (object->flags & OBJECT_FLAG_TOKEN) == 0u) {
            continue;
        }
        if (size < at || size - at < object_size(object)) {
            return STATUS_SPACE;
        }
        object_write(object, bytes + at);
        at += object_size(object);
        count++;
    }
    if (size < SET_HEADER) {
        return STATUS_SPACE;
    }
    memcpy(bytes, s_magic, sizeof s_magic);
    bytes[4] = VERSION;
    bytes[5] = count;
    return (int32_t)at;
}

// ---- reading -----------------------------------------------------------------------------------

typedef struct {
    const uint8_t *at;
    size_t left;
} object_reader_t;

static bool object_get(object_reader_t *reader, void *bytes, size_t length)
{
    if (reader->left < length) {
        return false;
    }
    memcpy(bytes, reader->at, length);
    reader->at += length;
    reader->left -= length;
    return true;
}

static bool object_read(object_reader_t *reader, object_t *object)
{
    uint8_t header[OBJECT_HEADER];
    if (!object_get(reader, header, sizeof header)) {
        return false;
    }
    object->kind = header[0];
    object->flags = header[1];
    object->label_length = header[2];
    object->id_length = header[3];
    object->length = (uint16_t)(header[4] | header[5] << 8);
    return object->kind >= KIND_FIRST && object->kind <= KIND_LAST &&
           object->label_length <= OBJECT_LABEL_BYTES && object->id_length <= OBJECT_ID_BYTES &&
           object->length <= OBJECT_VALUE_BYTES &&
           object_get(reader, object->label, object->label_length) &&
           object_get(reader, object->id, object->id_length) &&
           object_get(reader, object->value, object->length);
}

// The begin of a form: how many objects follow; below 0: it is none.
static int object_set_begin(object_reader_t *reader)
{
    uint8_t header[SET_HEADER];
    if (!object_get(reader, header, sizeof header) ||
        memcmp(header, s_magic, sizeof s_magic) != 0 || header[4] != VERSION ||
        header[5] > OBJECT_COUNT) {
        return STATUS_VALUE;
    }
    return header[5];
}

static bool object_set_read(object_set_t *set, object_reader_t *reader)
{
    int count = object_set_begin(reader);
    if (count < 0) {
        return false;
    }
    for (int i = 0; i < count; i++) {
        if (!object_read(reader, &set->items[i])) {
            return false;
        }
    }
    return reader->left == 0u;
}

status_t object_set_decode(object_set_t *set, const uint8_t *bytes, size_t length)
{
    object_reader_t reader = {bytes, length};
    object_set_clear(set);
    if (!object_set_read(set, &reader)) {
        object_set_clear(set);
        return STATUS_VALUE;
    }
    return STATUS_OK;
}

// ---- private keys ------------------------------------------------------------------------------

typedef struct {
    uint8_t kind;
    size_t length;
    const uint8_t *value; // in the form
} object_view_t;

static bool object_look(object_reader_t *reader, object_view_t *view)
{
    uint8_t header[OBJECT_HEADER];
    if (!object_get(reader, header, sizeof header)) {
        return false;
    }
    size_t names = (size_t)header[2] + header[3];
    view->kind = header[0];
    view->length = (size_t)(header[4] | header[5] << 8);
    view->value = reader->at + names;
    if (reader->left < names + view->length) {
        return false;
    }
    reader->at += names + view->length;
    reader->left -= names + view->length;
    return true;
}

static bool object_set_keeps_key(const object_set_t *set, const object_view_t *key)
{
    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        const object_t *object = &set->items[i];
        if (object->kind == KIND_PRIVATE_KEY && (object->flags & OBJECT_FLAG_TOKEN) != 0u &&
            object->length == key->length && memcmp(object->value, key->value, key->length) == 0) {
            return true;
        }
    }
    return false;
}

bool object_set_lacks_key_of(const object_set_t *set, const uint8_t *bytes, size_t length)
{
    object_reader_t reader = {bytes, length};
    int count = object_set_begin(&reader);
    bool lacks = count < 0;
    for (int i = 0; i < count && !lacks; i++) {
        object_view_t view;
        lacks = !object_look(&reader, &view) ||
                (view.kind == KIND_PRIVATE_KEY && !object_set_keeps_key(set, &view));
    }
    return lacks;
}
