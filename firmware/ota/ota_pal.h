// SPDX-License-Identifier: MIT
// The platform layer of OTA as the field's fifteen cases know it: a file is opened, written, closed
// with its signature or aborted, and the platform keeps the state of its image. Here a file is the
// slot that this image does not run from. Not while the agent has a job. From the worker.
#ifndef OTA_PAL_H
#define OTA_PAL_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// As OtaImageState_t numbers them.
typedef enum {
    OTA_PAL_UNKNOWN = 0,
    OTA_PAL_TESTING = 1,
    OTA_PAL_ACCEPTED = 2,
    OTA_PAL_REJECTED = 3,
    OTA_PAL_ABORTED = 4,
} ota_pal_state_t;

typedef enum { OTA_PAL_VALID, OTA_PAL_PENDING, OTA_PAL_INVALID } ota_pal_image_t;

typedef struct {
    bool open;
    uint32_t slot, bytes;
} ota_pal_file_t;

// The one file there can be.
ota_pal_file_t *ota_pal_file(void);

// Opens it, erased, for so many bytes. STATUS_RANGE: no byte, or more than a slot takes.
status_t ota_pal_create(ota_pal_file_t *file, uint32_t bytes);

// Writes at any offset; returns the count. STATUS_CLOSED: not open; STATUS_RANGE; STATUS_FLASH.
int32_t ota_pal_write(ota_pal_file_t *file, uint32_t offset, const uint8_t *bytes, size_t length);

// Checks the signature of what was written and closes. Returns as ota_signature_check(); after any
// error the image is OTA_PAL_INVALID.
status_t ota_pal_close(ota_pal_file_t *file, const char *certfile, const uint8_t *signature,
                       size_t length);

// Gives a file up; one that is NULL or not open is given up already.
status_t ota_pal_abort(ota_pal_file_t *file);

// STATUS_VALUE: no such state; STATUS_REFUSED: accepted, while no image is being tried.
status_t ota_pal_set_state(uint32_t state);
ota_pal_image_t ota_pal_get_state(void);

#endif
