// SPDX-License-Identifier: MIT
#include "ota_pal.h"

#include "ota_signature.h"
#include "ota_slot.h"

#include <string.h>

enum { UNIT = TRAILER_UNIT };

static ota_pal_file_t s_file;
static bool s_invalid; // the last file that was closed

ota_pal_file_t *ota_pal_file(void)
{
    return &s_file;
}

status_t ota_pal_create(ota_pal_file_t *file, uint32_t bytes)
{
    if (bytes == 0u || bytes > ota_slot_room()) {
        return STATUS_RANGE;
    }
    *file = (ota_pal_file_t){false, ota_slot_target(), bytes};
    status_t status = record_erase(&g_ota_record_flash); // of a job whose blocks go with the slot
    status = status == STATUS_OK ? ota_slot_erase(file->slot, bytes) : status;
    file->open = status == STATUS_OK;
    s_invalid = false;
    return status;
}

// One unit of flash, whose other bytes stay as they are.
static status_t pal_write_unit(const ota_pal_file_t *file, uint32_t at, const uint8_t *bytes,
                               uint32_t first, uint32_t length)
{
    uint32_t words[UNIT / 4];
    memcpy(words, ota_slot_bytes(file->slot) + at, UNIT);
    memcpy((uint8_t *)words + first, bytes, length);
    return ota_slot_write(file->slot, at, words, UNIT);
}

int32_t ota_pal_write(ota_pal_file_t *file, uint32_t offset, const uint8_t *bytes, size_t length)
{
    if (file == NULL || !file->open) {
        return STATUS_CLOSED;
    }
    if (offset > file->bytes || length > file->bytes - offset) {
        return STATUS_RANGE;
    }
    for (uint32_t done = 0; done < length;) {
        uint32_t first = (offset + done) % UNIT;
        uint32_t left = (uint32_t)length - done;
        uint32_t count = left < UNIT - first ? left : UNIT - first;
        status_t status = pal_write_unit(file, offset + done - first, bytes + done, first, count);
        if (status != STATUS_OK) {
            return status;
        }
        done += count;
    }
    return (int32_t)length;
}

status_t ota_pal_close(ota_pal_file_t *file, const char *certfile, const uint8_t *signature,
                       size_t length)
{
    if (file == NULL || !file->open) {
        return STATUS_CLOSED;
    }
    status_t status =
        ota_signature_check(certfile, ota_slot_bytes(file->slot), file->bytes, signature, length);
    file->open = false;
    s_invalid = status != STATUS_OK;
    return status;
}

status_t ota_pal_abort(ota_pal_file_t *file)
{
    if (file != NULL) {
        file->open = false;
    }
    return STATUS_OK;
}

status_t ota_pal_set_state(uint32_t state)
{
    if (state == OTA_PAL_UNKNOWN || state > OTA_PAL_ABORTED) {
        return STATUS_VALUE;
    }
    if (state == OTA_PAL_ACCEPTED) {
        return ota_slot_is_in_test() ? ota_slot_confirm() : STATUS_REFUSED;
    }
    if (state != OTA_PAL_TESTING) {
        s_invalid = true;
    }
    return STATUS_OK;
}

ota_pal_image_t ota_pal_get_state(void)
{
    if (ota_slot_is_in_test()) {
        return OTA_PAL_PENDING;
    }
    return s_invalid ? OTA_PAL_INVALID : OTA_PAL_VALID;
}
