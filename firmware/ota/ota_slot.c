// SPDX-License-Identifier: MIT
#include "ota_slot.h"

#include "flash_layout.h"
#include "flash_range.h"
#include "ota_report.h"
#include "platform.h"

#include <string.h>

enum { UNIT = TRAILER_UNIT, AREA_BYTES = OTA_AGENT_BYTES / 2 };

extern const uint8_t __image_start[];

static const uintptr_t s_starts[] = {OTA_SLOT_A_AT, OTA_SLOT_B_AT};

const char *ota_slot_word(uint32_t slot)
{
    return slot == OTA_SLOT_A ? "a" : slot == OTA_SLOT_B ? "b" : "none";
}

uint32_t ota_slot_running(void)
{
    uintptr_t at = (uintptr_t)__image_start;
    for (uint32_t slot = OTA_SLOT_A; slot <= OTA_SLOT_B; slot++) {
        if (at >= s_starts[slot] && at < s_starts[slot] + OTA_SLOT_BYTES) {
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
    return (const uint8_t *)s_starts[slot];
}

// ---- flash -------------------------------------------------------------------------------------

status_t ota_slot_unmark(uint32_t slot)
{
    uintptr_t end = s_starts[slot] + OTA_SLOT_BYTES;
    return flash_erase_range(end - OTA_SECTOR_BYTES, end);
}

status_t ota_slot_erase(uint32_t slot, uint32_t bytes)
{
    if (slot == ota_slot_running() || slot > OTA_SLOT_B || bytes > ota_slot_room() ||
        ota_slot_is_in_test()) {
        return STATUS_RANGE;
    }
    status_t status = ota_slot_unmark(slot);
    return status == STATUS_OK ? flash_erase_range(s_starts[slot], s_starts[slot] + bytes) : status;
}

status_t ota_slot_write(uint32_t slot, uint32_t offset, uint32_t *words, uint32_t length)
{
    uint32_t padded = (length + UNIT - 1u) / UNIT * UNIT;
    if (slot == ota_slot_running() || slot > OTA_SLOT_B || offset % UNIT != 0u ||
        offset > ota_slot_room() || padded > ota_slot_room() - offset) {
        return STATUS_RANGE;
    }
    memset((uint8_t *)words + length, 0xFF, padded - length);
    return platform_flash_write(s_starts[slot] + offset, words, padded);
}

// ---- marks -------------------------------------------------------------------------------------

static status_t slot_read(void *context, uint32_t offset, void *bytes, uint32_t length)
{
    memcpy(bytes, (const uint8_t *)context + offset, length);
    return STATUS_OK;
}

static image_reader_t slot_reader(uint32_t slot, uint32_t bytes)
{
    return (image_reader_t){slot_read, (void *)s_starts[slot], bytes};
}

static status_t slot_write_mark(void *context, uint32_t offset, const void *bytes, uint32_t length)
{
    uint32_t words[TRAILER_MAGIC_BYTES / 4];
    memcpy(words, bytes, length);
    return platform_flash_write((uintptr_t)context + offset, words, length);
}

static flash_writer_t slot_writer(uint32_t slot)
{
    return (flash_writer_t){.write = slot_write_mark, .context = (void *)s_starts[slot]};
}

trailer_state_t ota_slot_state(uint32_t slot)
{
    trailer_state_t state = TRAILER_NONE;
    if (slot <= OTA_SLOT_B) {
        image_reader_t reader = slot_reader(slot, OTA_SLOT_BYTES);
        (void)trailer_read(&reader, &state);
    }
    return state;
}

bool ota_slot_is_in_test(void)
{
    return ota_slot_state(ota_slot_running()) == TRAILER_TRIED;
}

status_t ota_slot_mark(uint32_t slot)
{
    flash_writer_t writer = slot_writer(slot);
    return trailer_set_test(&writer, OTA_SLOT_BYTES);
}

status_t ota_slot_confirm(uint32_t slot)
{
    if (slot > OTA_SLOT_B) {
        return STATUS_RANGE;
    }
    flash_writer_t writer = slot_writer(slot);
    return trailer_set_confirmed(&writer, OTA_SLOT_BYTES);
}

// ---- images ------------------------------------------------------------------------------------

bool ota_slot_image(uint32_t slot, uint32_t bytes, image_t *image)
{
    image_reader_t reader = slot_reader(slot, bytes);
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
