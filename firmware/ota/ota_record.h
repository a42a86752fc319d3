// SPDX-License-Identifier: MIT
// What the agent keeps in flash, so that a job goes on after a loss of power: the bytes of one
// record of firmware/net/record_pair.h, which makes every change of it whole or undone. Pure.
#ifndef OTA_RECORD_H
#define OTA_RECORD_H

#include "ota_blocks.h"
#include "ota_job.h"

typedef enum { OTA_KEPT_NONE, OTA_KEPT_RECEIVING, OTA_KEPT_STAGED } ota_kept_t;

// Whole words, because flash is written in them.
typedef struct {
    uint32_t form;     // of this struct
    uint32_t kept;     // ota_kept_t
    uint32_t slot;     // index of the slot that is written
    uint32_t protocol; // ota_protocol_t
    uint32_t from_version, to_version;
    uint32_t activated; // 1: a reboot was made for it
    uint32_t checked;   // of the job: CRC-32 of stream, certificate and signature
    ota_blocks_t blocks;
    char job[OTA_JOB_ID_BYTES + 3];
} ota_record_t;

// A record of a job of which nothing was received. STATUS_RANGE: as ota_blocks_init().
status_t ota_record_begin(ota_record_t *record, const ota_job_t *job, uint32_t slot,
                          uint32_t block_bytes);

// Reads the bytes that flash gave: false, and an empty record, where they are no record of this
// form or do not agree with themselves.
bool ota_record_read(ota_record_t *record, const void *bytes, size_t length);

// Whether the record is of this very file: it may be gone on with.
bool ota_record_fits(const ota_record_t *record, const ota_job_t *job, uint32_t slot);

#endif
