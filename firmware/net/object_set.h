// SPDX-License-Identifier: MIT
// The objects of a PKCS #11 token as plain data, and their form in flash. Pure; the set belongs to
// its caller.
//
// Form: `RIGO`, version 1 (a byte), count (a byte), then for each object: class, flags, bytes of
// label, of id (a byte each), bytes of value (two, low first), label, id, value.
#ifndef OBJECT_SET_H
#define OBJECT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

enum {
    OBJECT_COUNT = 16,
    OBJECT_LABEL_BYTES = 32,
    OBJECT_ID_BYTES = 20,
    OBJECT_VALUE_BYTES = 2048, // the longest certificate in DER
    OBJECT_SET_BYTES = 6 + OBJECT_COUNT * (6 + OBJECT_LABEL_BYTES + OBJECT_ID_BYTES +
                                           OBJECT_VALUE_BYTES), // the longest form
};

enum {
    OBJECT_FLAG_TOKEN = 1,     // is kept in flash; else it is gone with its session
    OBJECT_FLAG_AUTHORITY = 2, // certificate of an authority that is trusted
    OBJECT_FLAG_LOCAL = 4,     // key that was made on this board
    OBJECT_FLAG_SIGNER = 8,    // certificate of who signs images
};

typedef struct {
    uint8_t kind; // CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_PRIVATE_KEY; 0: this place is free
    uint8_t flags;
    uint8_t label_length;
    uint8_t id_length;
    uint16_t length;
    uint16_t generation; // counts what stood in this place, so that an old handle is known as such
    uint32_t session;    // of an object without OBJECT_FLAG_TOKEN
    uint8_t label[OBJECT_LABEL_BYTES];
    uint8_t id[OBJECT_ID_BYTES];
    // Certificate: DER. Public key: the point, 0x04 x y. Private key: the scalar, 32 bytes.
    uint8_t value[OBJECT_VALUE_BYTES];
} object_t;

typedef struct {
    object_t items[OBJECT_COUNT];
} object_set_t;

// A free place, with its generation counted up; NULL: none is free. The caller fills it in.
object_t *object_set_take(object_set_t *set);

// Frees a place and overwrites what it held.
void object_set_free(object_t *object);

// The first object of this kind and label (bytes) that is kept in flash, or NULL.
object_t *object_set_find(object_set_t *set, uint8_t kind, const void *label, size_t length);

// Writes the objects that are kept to `bytes` (OBJECT_SET_BYTES always do). Returns how many bytes;
// STATUS_SPACE: more than `size`.
int32_t object_set_encode(const object_set_t *set, uint8_t *bytes, size_t size);

// Reads a form into *set, whose places are all free afterwards if STATUS_VALUE says that it is
// none. Whatever stood in them is another object now, as after object_set_clear().
status_t object_set_decode(object_set_t *set, const uint8_t *bytes, size_t length);

// Frees all places, with their generations counted up, and overwrites what they held.
void object_set_clear(object_set_t *set);

// Whether a form holds a private key that *set does not keep; also if it cannot be read.
bool object_set_lacks_key_of(const object_set_t *set, const uint8_t *bytes, size_t length);

#endif
