// SPDX-License-Identifier: MIT
#include "nor_model.h"

#include <string.h>

enum { ERASED = 0xFF };

// One change of the medium: what was there and what shall be.
typedef struct {
    const nor_t *nor;
    uint32_t offset;
    uint32_t length;
    const uint8_t *bytes; // NULL: all ones
} nor_change_t;

static uint8_t s_before[NOR_SECTOR_BYTES];

void nor_begin(nor_control_t *control)
{
    if (control->magic == NOR_MAGIC && control->version == NOR_VERSION) {
        return;
    }
    memset(control, 0, sizeof *control);
    control->magic = NOR_MAGIC;
    control->version = NOR_VERSION;
    control->size = (uint16_t)sizeof *control;
}

static uint32_t nor_random(uint32_t *state) // xorshift32 (Marsaglia 2003)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

// The same operation is torn in the same way wherever it comes in the order, and whatever other
// stops there are.
static uint32_t nor_seed(const nor_control_t *control)
{
    const nor_operation_t *now = &control->now;
    uint32_t seed = control->seed ^ now->address * 2654435761u ^ now->length << 8 ^
                    (uint32_t)now->kind << 4 ^ now->phase;
    return seed != 0u ? seed : 1u;
}

static void nor_put(const nor_change_t *change, uint32_t i, uint8_t value)
{
    const nor_control_t *control = change->nor->control;
    uint8_t *at = &change->nor->medium[change->offset + i];
    if (change->nor->at + change->offset + i == control->stuck_address) {
        uint8_t stuck = (uint8_t)control->stuck_mask;
        value = (uint8_t)((value & ~stuck) | (*at & stuck));
    }
    *at = value;
}

static uint8_t nor_wanted(const nor_change_t *change, uint32_t i)
{
    return change->bytes != NULL ? change->bytes[i] : (uint8_t)ERASED;
}

// The first part: half of an erase, some units of a program.
static void nor_tear_part(const nor_change_t *change)
{
    uint32_t random = nor_seed(change->nor->control);
    uint32_t units = change->length / NOR_UNIT_BYTES;
    uint32_t done =
        change->bytes == NULL ? change->length / 2u : nor_random(&random) % units * NOR_UNIT_BYTES;
    for (uint32_t i = 0; i < done; i++) {
        nor_put(change, i, nor_wanted(change, i));
    }
}

static void nor_tear_bits(const nor_change_t *change)
{
    uint32_t random = nor_seed(change->nor->control);
    for (uint32_t i = 0; i < change->length; i++) {
        uint8_t changed = (uint8_t)(s_before[i] ^ nor_wanted(change, i));
        nor_put(change, i, (uint8_t)(s_before[i] ^ (changed & nor_random(&random) >> 9)));
    }
}

static bool nor_stops(const nor_control_t *control, uint32_t stop)
{
    return (control->stops & stop) != 0u &&
           (control->stop_at == 0u || control->stop_at == control->now.number);
}

static void nor_change(const nor_change_t *change)
{
    nor_control_t *control = change->nor->control;
    uint8_t *medium = &change->nor->medium[change->offset];
    memcpy(s_before, medium, change->length);
    if (nor_stops(control, NOR_STOP_BEFORE)) {
        nor_stop(control, NOR_STOP_BEFORE);
    }
    if (nor_stops(control, NOR_STOP_TORN_PART)) {
        nor_tear_part(change);
        nor_stop(control, NOR_STOP_TORN_PART);
        memcpy(medium, s_before, change->length);
    }
    if (nor_stops(control, NOR_STOP_TORN_BITS)) {
        nor_tear_bits(change);
        nor_stop(control, NOR_STOP_TORN_BITS);
    }
    for (uint32_t i = 0; i < change->length; i++) {
        nor_put(change, i, nor_wanted(change, i));
    }
}

static bool nor_has(const nor_t *nor, uint32_t address, uint32_t length)
{
    uint32_t offset = address - nor->at;
    return address >= nor->at && offset <= nor->size && length <= nor->size - offset;
}

static bool nor_fails(const nor_control_t *control)
{
    return (control->fail & 1u << control->now.kind) != 0u &&
           (control->fail_at == 0u || control->fail_at == control->now.number);
}

static void nor_note(nor_control_t *control, nor_kind_t kind, uint32_t address, uint32_t length)
{
    control->count++;
    control->now = (nor_operation_t){.number = control->count,
                                     .address = address,
                                     .length = length,
                                     .kind = (uint8_t)kind,
                                     .phase = (uint8_t)control->phase};
}

// Keeps the operation with what became of it.
static status_t nor_end(nor_control_t *control, status_t status)
{
    control->now.status = (uint8_t)-status;
    control->ring[(control->now.number - 1u) % NOR_RING_ROWS] = control->now;
    return status;
}

static status_t nor_refuse(nor_control_t *control, status_t status)
{
    control->refused++;
    return nor_end(control, status);
}

static status_t nor_carry_out(const nor_t *nor, const nor_change_t *change)
{
    if (nor_fails(nor->control)) {
        return nor_end(nor->control, STATUS_FLASH);
    }
    nor_change(change);
    return nor_end(nor->control, STATUS_OK);
}

status_t nor_erase(const nor_t *nor, uint32_t address)
{
    nor_note(nor->control, NOR_ERASE, address, NOR_SECTOR_BYTES);
    if (address % NOR_SECTOR_BYTES != 0u || !nor_has(nor, address, NOR_SECTOR_BYTES)) {
        return nor_refuse(nor->control, STATUS_RANGE);
    }
    nor_change_t change = {nor, address - nor->at, NOR_SECTOR_BYTES, NULL};
    return nor_carry_out(nor, &change);
}

static bool nor_fits_a_page(uint32_t address, uint32_t length)
{
    return length > 0u && address % NOR_UNIT_BYTES == 0u && length % NOR_UNIT_BYTES == 0u &&
           length <= NOR_PAGE_BYTES - address % NOR_PAGE_BYTES;
}

static bool nor_only_clears(const nor_t *nor, uint32_t address, const uint8_t *bytes,
                            uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        if ((bytes[i] & ~nor->medium[address - nor->at + i]) != 0) {
            return false;
        }
    }
    return true;
}

status_t nor_program(const nor_t *nor, uint32_t address, const void *bytes, uint32_t length)
{
    nor_note(nor->control, NOR_PROGRAM, address, length);
    if (!nor_fits_a_page(address, length) || !nor_has(nor, address, length)) {
        return nor_refuse(nor->control, STATUS_RANGE);
    }
    if (!nor_only_clears(nor, address, bytes, length)) {
        return nor_refuse(nor->control, STATUS_FLASH);
    }
    nor_change_t change = {nor, address - nor->at, length, bytes};
    return nor_carry_out(nor, &change);
}
