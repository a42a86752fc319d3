// SPDX-License-Identifier: MIT
// Reads and writes the part of CBOR (RFC 8949) that the stream service speaks: whole numbers, byte
// and text strings, arrays and maps of a definite length. Pure; nothing behind a text's length is
// read, and nothing recurses: what is skipped is counted, and every item takes a byte at least, so
// that a length which promises more than there is left is refused at once.
#ifndef CBOR_H
#define CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    CBOR_NUMBER,   // 0 or more
    CBOR_NEGATIVE, // -1 - value
    CBOR_BYTES,
    CBOR_TEXT,
    CBOR_ARRAY,
    CBOR_MAP,
    CBOR_TAG,
    CBOR_SIMPLE, // false, true, null, floating point
} cbor_type_t;

// A place in bytes; `at` never passes `length`.
typedef struct {
    const uint8_t *bytes;
    size_t length, at;
} cbor_t;

// An item: its type, and its number, or how many bytes, elements or pairs follow. `bytes` of a
// string that is whole; the reader stands behind it then.
typedef struct {
    cbor_type_t type;
    uint64_t value;
    const uint8_t *bytes;
} cbor_item_t;

// Reads the next item; of an array, a map or a tag, its head. false: not whole, of no definite
// length, or longer than what is left.
bool cbor_next(cbor_t *reader, cbor_item_t *item);

// Skips what belongs to an item whose head was read. false as cbor_next().
bool cbor_skip(cbor_t *reader, const cbor_item_t *item);

// Finds a pair of the map that the reader stands in front of, by its key, which is a text; the
// first of that name. The reader is left as it is. false: no map, no such pair, or not well formed
// up to it.
bool cbor_member(const cbor_t *reader, const char *key, cbor_item_t *value);

// The same, for a number that fits.
bool cbor_member_u32(const cbor_t *reader, const char *key, uint32_t *number);

// Whether the bytes are one item, well formed, and nothing behind it.
bool cbor_is_whole(const uint8_t *bytes, size_t length);

// What is written; `length` counts on where it does not fit, `size` is never passed.
typedef struct {
    uint8_t *out;
    size_t size, length;
} cbor_writer_t;

void cbor_put_head(cbor_writer_t *writer, cbor_type_t type, uint32_t value);
void cbor_put_text(cbor_writer_t *writer, const char *text);
void cbor_put_bytes(cbor_writer_t *writer, const uint8_t *bytes, size_t length);

#endif
