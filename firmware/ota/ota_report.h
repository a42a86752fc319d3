// SPDX-License-Identifier: MIT
// The status documents by which the agent tells the Jobs service how a job goes. Pure.
#ifndef OTA_REPORT_H
#define OTA_REPORT_H

#include "status.h"

#include <stddef.h>
#include <stdint.h>

typedef enum {
    OTA_REPORT_RECEIVE,  // IN_PROGRESS: so many blocks of so many
    OTA_REPORT_READY,    // IN_PROGRESS: the signature is good
    OTA_REPORT_ACTIVE,   // IN_PROGRESS: the new image runs its self-test
    OTA_REPORT_ACCEPTED, // SUCCEEDED
    OTA_REPORT_FAILED,   // FAILED, reason 0x<error>: 0x<sub>
    OTA_REPORT_REJECTED, // FAILED, reason rejected: 0x<error>
    OTA_REPORT_ABORTED,  // FAILED, reason aborted: 0x<error>
} ota_report_kind_t;

// Why an update failed: <error> of the reasons. <sub> says more, by error.
typedef enum {
    OTA_ERROR_NONE,
    OTA_ERROR_DOCUMENT,  // sub: field << 8 | how it is wrong (ota_job.h)
    OTA_ERROR_SIZE,      // the file fits no slot, or no block size does; sub: its bytes
    OTA_ERROR_SILENCE,   // nobody answered; sub: requests sent
    OTA_ERROR_STREAM,    // the stream service refuses; sub: 0
    OTA_ERROR_HTTP,      // the server refuses; sub: its code
    OTA_ERROR_FLASH,     // sub: -status
    OTA_ERROR_SIGNATURE, // sub: -status; 4: no such certificate
    OTA_ERROR_IMAGE,     // signed, but not an image of this slot
    OTA_ERROR_VERSION,   // not newer than what runs; sub: its version
    OTA_ERROR_ROLLBACK,  // the new image did not stay
    OTA_ERROR_USER,      // somebody said so
} ota_error_t;

const char *ota_error_word(ota_error_t error);

typedef struct {
    ota_report_kind_t kind;
    uint32_t got, total; // RECEIVE
    uint32_t version;    // READY, ACTIVE, ACCEPTED: as version32
    uint32_t error, sub; // FAILED, REJECTED, ABORTED
    uint32_t expected;   // expectedVersion; 0: not said
    const char *token;
} ota_report_t;

// major << 24 | minor << 16 | build, as AppVersion32 has it.
uint32_t ota_version32(uint32_t major, uint32_t minor, uint32_t build);

// The version32 of a text such as "0.9.1"; 0: it is none.
uint32_t ota_version_of(const char *text);

// "<major>.<minor>.<build>" with NUL.
enum { OTA_VERSION_TEXT_BYTES = 16 };
void ota_version_text(uint32_t version, char text[OTA_VERSION_TEXT_BYTES]);

// Writes the payload of .../update. Returns its length; STATUS_SPACE.
int ota_report_write(const ota_report_t *report, char *out, size_t size);

#endif
