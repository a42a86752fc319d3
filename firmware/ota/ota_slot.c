// SPDX-License-Identifier: MIT
#include "ota_slot.h"

#include "flash_layout.h"
#include "flash_phase.h"
#include "flash_range.h"
#include "ota_report.h"
#include "platform.h"
#include "slots.h"
#if defined(RIG_OTA) && RIG_OTA
    #include "self_test.h"
#endif

#include <string.h>

enum { UNIT = TRAILER_UNIT, AREA_BYTES = OTA_AGENT_BYTES / 2 };

extern const uint8_t __image_start[];

static uintptr_t slot_start(uint32_t slot)
{
    return slot_address((int)slot);
}

uint32_t ota_slot_running(void)
{
    uintptr_t at = (uintptr_t)__image_start;
    for (uint32_t slot = OTA_SLOT_A; slot <= OTA_SLOT_B; slot++) {
        if (at >= slot_start(slot) && at < slot_start(slot) + OTA_SLOT_BYTES) {
            return slot;
        }
    }
    return OTA_SLOT_NONE;
}

uint32_t ota_slot_target(void)
{
    return ota_slot_running() == OTA_SLOT_A ? OTA_SLOT_B : OTA_SLOT_A;
}

uint32_t ota_slot_room(void)
{
    return OTA_SLOT_BYTES - OTA_SECTOR_BYTES;
}

const uint8_t *ota_slot_bytes(uint32_t slot)
{
    return (const uint8_t *)slot_start(slot);
}

// ---- flash -------------------------------------------------------------------------------------

status_t ota_slot_unmark(uint32_t slot)
{
    uintptr_t end = slot_start(slot) + OTA_SLOT_BYTES;
    flash_phase_set(PHASE_MARK);
    return flash_erase_range(end - OTA_SECTOR_BYTES, end);
}

status_t ota_slot_erase(uint32_t slot, uint32_t bytes)
{
    if (slot == ota_slot_running() || slot > OTA_SLOT_B || bytes > ota_slot_room() ||
        ota_slot_is_in_test()) {
        return STATUS_RANGE;
    }
    status_t status = ota_slot_unmark(slot);
    flash_phase_set(PHASE_DOWNLOAD);
    return status == STATUS_OK ? flash_erase_range(slot_start(slot), slot_start(slot) + bytes)
                               : status;
}

status_t ota_slot_write(uint32_t slot, uint32_t offset, uint32_t *words, uint32_t length)
{
    uint32_t padded = (length + UNIT - 1u) / UNIT * UNIT;
    if (slot == ota_slot_running() || slot > OTA_SLOT_B || offset % UNIT != 0u ||
        offset > ota_slot_room() || padded > ota_slot_room() - offset) {
        return STATUS_RANGE;
    }
    memset((uint8_t *)words + length, 0xFF, padded - length);
    flash_phase_set(PHASE_DOWNLOAD);
    return platform_flash_write(slot_start(slot) + offset, words, padded);
}

// ---- marks -------------------------------------------------------------------------------------

trailer_state_t ota_slot_state(uint32_t slot)
{
    trailer_state_t state = TRAILER_NONE;
    if (slot <= OTA_SLOT_B) {
        image_reader_t reader = slot_reader((int)slot);
        (void)trailer_read(&reader, &state); // memory: it cannot fail
    }
    return state;
}

status_t ota_slot_mark(uint32_t slot)
{
    return slot_ask_for_test((int)slot);
}

#if defined(RIG_OTA) && RIG_OTA

bool ota_slot_is_in_test(void)
{
    return self_test_runs();
}

status_t ota_slot_confirm(void)
{
    return self_test_confirm();
}

#else // no bootloader has started this image

bool ota_slot_is_in_test(void)
{
    return false;
}

status_t ota_slot_confirm(void)
{
    return STATUS_ABSENT;
}

void flash_phase_set(flash_phase_t phase)
{
    (void)phase; // nobody looks
}

#endif

// ---- images ------------------------------------------------------------------------------------

bool ota_slot_image(uint32_t slot, uint32_t bytes, image_t *image)
{
    image_reader_t reader = slot_reader((int)slot);
    reader.size = bytes;
    return image_parse(&reader, bytes, image) == IMAGE_GOOD;
}

uint32_t ota_slot_running_version(void)
{
    image_t image;
    uint32_t slot = ota_slot_running();
    if (slot <= OTA_SLOT_B && ota_slot_image(slot, ota_slot_room(), &image)) {
        return ota_version32(image.version.major, image.version.minor, image.version.revision);
    }
    return ota_version_of(RIG_VERSION);
}

// ---- the agent's record ------------------------------------------------------------------------

static const uint8_t *record_area(size_t area)
{
    return (const uint8_t *)(OTA_AGENT_AT + area * AREA_BYTES);
}

static status_t record_erase_area(size_t area)
{
    return flash_erase_range((uintptr_t)record_area(area),
                             (uintptr_t)record_area(area) + AREA_BYTES);
}

static status_t record_write_area(size_t area, size_t place, const uint32_t *words, size_t length)
{
    return platform_flash_write((uintptr_t)record_area(area) + place, words, length);
}

const record_flash_t g_ota_record_flash = {AREA_BYTES, record_area, record_erase_area,
                                           record_write_area};
