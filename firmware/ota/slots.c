// SPDX-License-Identifier: MIT
#include "slots.h"

#include "flash_phase.h"
#include "platform.h"

#include <string.h>

static const uint32_t s_slots[SLOT_COUNT] = {OTA_SLOT_A_AT, OTA_SLOT_B_AT};
static const uint32_t s_state = OTA_STATE_AT;

uint32_t slot_address(int slot)
{
    return s_slots[slot];
}

const char *slot_name(int slot)
{
    return slot == 0 ? "a" : slot == 1 ? "b" : "none";
}

static status_t slot_read(void *context, uint32_t offset, void *bytes, uint32_t length)
{
    const uint32_t *start = context;
    memcpy(bytes, (const void *)(uintptr_t)(*start + offset), length);
    return STATUS_OK;
}

static status_t slot_erase(void *context, uint32_t offset)
{
    const uint32_t *start = context;
    return platform_flash_erase(*start + offset);
}

static status_t slot_write(void *context, uint32_t offset, const void *bytes, uint32_t length)
{
    const uint32_t *start = context;
    return platform_flash_write(*start + offset, bytes, length);
}

image_reader_t slot_reader(int slot)
{
    return (image_reader_t){slot_read, (void *)&s_slots[slot], OTA_SLOT_BYTES};
}

flash_writer_t slot_writer(int slot)
{
    return (flash_writer_t){slot_erase, slot_write, (void *)&s_slots[slot]};
}

image_reader_t slot_state_reader(void)
{
    return (image_reader_t){slot_read, (void *)&s_state, OTA_STATE_BYTES};
}

flash_writer_t slot_state_writer(void)
{
    return (flash_writer_t){slot_erase, slot_write, (void *)&s_state};
}

image_policy_t slot_policy(int slot, uint32_t counter_floor)
{
    return (image_policy_t){
        .slot_at = slot_address(slot),
        .image_bytes = OTA_SLOT_BYTES - OTA_SECTOR_BYTES,
        .header_bytes = OTA_HEADER_BYTES,
        .ram_at = OTA_RAM_AT,
        .ram_bytes = OTA_RAM_BYTES,
        .counter_floor = counter_floor,
        .board = RIG_BOARD,
    };
}

status_t slot_ask_for_test(int slot)
{
    flash_writer_t writer = slot_writer(slot);
    flash_phase_set(PHASE_MARK);
    status_t status = trailer_set_test(&writer, OTA_SLOT_BYTES);
    flash_phase_set(PHASE_OTHER);
    return status;
}

status_t slot_confirm(int slot)
{
    flash_writer_t writer = slot_writer(slot);
    flash_phase_set(PHASE_CONFIRM);
    status_t status = trailer_set_confirmed(&writer, OTA_SLOT_BYTES);
    flash_phase_set(PHASE_OTHER);
    return status;
}
