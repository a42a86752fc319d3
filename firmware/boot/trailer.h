// SPDX-License-Identifier: MIT
// The trailer of a slot, in MCUboot's places (write size 8), and what it says of the image. Pure.
//
// Three marks, each set by one program of its own and only ever in this order: the magic (whoever
// staged the image: try it), copy_done (the bootloader: it is being tried), image_ok (the image
// itself: keep me). Programming a mark again is harmless. A mark that is half written counts as not
// written, so that a cut at any of them leaves the state before.
#ifndef TRAILER_H
#define TRAILER_H

#include "image.h"

typedef enum {
    TRAILER_NONE,      // no magic: nobody asked for this image to run
    TRAILER_TEST,      // to be tried, once
    TRAILER_TRIED,     // tried and not confirmed: never again
    TRAILER_CONFIRMED, //
    TRAILER_STATES,
} trailer_state_t;

// The word of a state, as the console and the rig know it.
const char *trailer_state_word(trailer_state_t state);

// Where flash is written: by offset, whole units of 8 bytes. Returns STATUS_OK or below 0.
typedef struct {
    status_t (*erase)(void *context, uint32_t offset); // the sector that begins there
    status_t (*write)(void *context, uint32_t offset, const void *bytes, uint32_t length);
    void *context;
} flash_writer_t;

enum { TRAILER_UNIT = 8, TRAILER_MAGIC_BYTES = 16 };

// Of the slot that the reader is. STATUS_OK, or what the reader said.
status_t trailer_read(const image_reader_t *slot, trailer_state_t *state);

// Sets a mark in the trailer of a slot of `size` bytes; the trailer's sector was erased before the
// magic. STATUS_OK, or what the writer said.
status_t trailer_set_test(const flash_writer_t *slot, uint32_t size);
status_t trailer_set_tried(const flash_writer_t *slot, uint32_t size);
status_t trailer_set_confirmed(const flash_writer_t *slot, uint32_t size);

#endif
