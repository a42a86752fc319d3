// SPDX-License-Identifier: MIT
#include "trailer.h"

#include <string.h>

// Distances from the slot's end.
enum { MAGIC_AT = 16, IMAGE_OK_AT = 24, COPY_DONE_AT = 32, MARK_SET = 0x01, ERASED = 0xFF };

static const uint8_t s_magic[TRAILER_MAGIC_BYTES] = {
    0x77, 0xC2, 0x95, 0xF3, 0x60, 0xD2, 0xEF, 0x7F, 0x35, 0x52, 0x50, 0x0F, 0x2C, 0xB6, 0x79, 0x80};

const char *trailer_state_word(trailer_state_t state)
{
    static const char *const s_words[TRAILER_STATES] = {"none", "test", "tried", "confirmed"};
    return state < TRAILER_STATES ? s_words[state] : "none";
}

status_t trailer_read(const image_reader_t *slot, trailer_state_t *state)
{
    uint8_t end[COPY_DONE_AT];
    *state = TRAILER_NONE;
    if (slot->size < sizeof end) {
        return STATUS_RANGE;
    }
    status_t status = image_read(slot, slot->size - (uint32_t)sizeof end, end, sizeof end);
    if (status != STATUS_OK ||
        memcmp(end + COPY_DONE_AT - MAGIC_AT, s_magic, sizeof s_magic) != 0) {
        return status;
    }
    bool confirmed = end[COPY_DONE_AT - IMAGE_OK_AT] == MARK_SET;
    bool tried = end[0] == MARK_SET;
    *state = confirmed ? TRAILER_CONFIRMED : tried ? TRAILER_TRIED : TRAILER_TEST;
    return STATUS_OK;
}

static status_t trailer_mark(const flash_writer_t *slot, uint32_t size, uint32_t from_end)
{
    uint8_t unit[TRAILER_UNIT];
    memset(unit, ERASED, sizeof unit);
    unit[0] = MARK_SET;
    return slot->write(slot->context, size - from_end, unit, sizeof unit);
}

status_t trailer_set_test(const flash_writer_t *slot, uint32_t size)
{
    return slot->write(slot->context, size - MAGIC_AT, s_magic, sizeof s_magic);
}

status_t trailer_set_tried(const flash_writer_t *slot, uint32_t size)
{
    return trailer_mark(slot, size, COPY_DONE_AT);
}

status_t trailer_set_confirmed(const flash_writer_t *slot, uint32_t size)
{
    return trailer_mark(slot, size, IMAGE_OK_AT);
}
