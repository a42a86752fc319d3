// SPDX-License-Identifier: MIT
#include "ota_record.h"

#include "crc32.h"

#include <string.h>

enum { FORM = 1 };

_Static_assert(sizeof(ota_record_t) % 4u == 0u, "a record is whole words");

static uint32_t record_sum(const ota_job_t *job)
{
    uint32_t sum = crc32_update(0, job->stream, sizeof job->stream);
    sum = crc32_update(sum, job->certfile, sizeof job->certfile);
    return crc32_update(sum, job->signature, job->signature_bytes);
}

status_t ota_record_begin(ota_record_t *record, const ota_job_t *job, uint32_t slot,
                          uint32_t block_bytes)
{
    memset(record, 0, sizeof *record);
    record->form = FORM;
    record->kept = OTA_KEPT_RECEIVING;
    record->slot = slot;
    record->protocol = (uint32_t)job->protocol;
    record->checked = record_sum(job);
    memcpy(record->job, job->id, sizeof job->id);
    return ota_blocks_init(&record->blocks, job->bytes, block_bytes);
}

bool ota_record_read(ota_record_t *record, const void *bytes, size_t length)
{
    bool good = length == sizeof *record;
    memset(record, 0, sizeof *record);
    if (good) {
        memcpy(record, bytes, sizeof *record);
        good = record->form == FORM && record->kept <= OTA_KEPT_STAGED && record->slot <= 1u &&
               record->protocol <= OTA_OVER_HTTP && record->job[sizeof record->job - 1u] == '\0' &&
               ota_blocks_are_good(&record->blocks);
    }
    if (!good) {
        memset(record, 0, sizeof *record);
    }
    return good;
}

bool ota_record_fits(const ota_record_t *record, const ota_job_t *job, uint32_t slot)
{
    return record->kept != OTA_KEPT_NONE && record->slot == slot &&
           record->protocol == (uint32_t)job->protocol && record->blocks.file_bytes == job->bytes &&
           record->checked == record_sum(job) && strcmp(record->job, job->id) == 0;
}
