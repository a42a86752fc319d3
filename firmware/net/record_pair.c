// SPDX-License-Identifier: MIT
#include "record_pair.h"

#include "crc32.h"

#include <stdbool.h>
#include <string.h>

enum { AREAS = 2, WORD_BYTES = 4 };

#define MAGIC 0x52474952u // "RIGR"

typedef struct {
    uint32_t magic, sequence, length, crc;
} record_header_t;

static uint32_t record_sum(const record_header_t *header, const void *bytes)
{
    uint32_t crc = crc32_update(0, header, offsetof(record_header_t, crc));
    return crc32_update(crc, bytes, header->length);
}

// The header of an area that holds a whole record.
static bool record_is_whole(const record_flash_t *flash, size_t area, record_header_t *header)
{
    const uint8_t *bytes = flash->area(area);
    memcpy(header, bytes, sizeof *header);
    return header->magic == MAGIC && header->length <= flash->area_bytes - RECORD_HEADER_BYTES &&
           header->crc == record_sum(header, bytes + RECORD_HEADER_BYTES);
}

// The area of the newest record; AREAS if there is none. Sequence numbers are compared by their
// difference, so that they may wrap.
static size_t record_newest(const record_flash_t *flash, record_header_t *newest)
{
    size_t found = AREAS;
    for (size_t area = 0; area < AREAS; area++) {
        record_header_t header;
        if (record_is_whole(flash, area, &header) &&
            (found == AREAS || (int32_t)(header.sequence - newest->sequence) > 0)) {
            *newest = header;
            found = area;
        }
    }
    return found;
}

status_t record_load(const record_flash_t *flash, const uint8_t **bytes, size_t *length)
{
    record_header_t header;
    size_t area = record_newest(flash, &header);
    if (area == AREAS) {
        return STATUS_UNKNOWN;
    }
    *bytes = flash->area(area) + RECORD_HEADER_BYTES;
    *length = header.length;
    return STATUS_OK;
}

static status_t record_write(const record_flash_t *flash, size_t area, const void *bytes,
                             const record_header_t *header)
{
    uint32_t words[RECORD_HEADER_BYTES / WORD_BYTES];
    size_t padded = (header->length + WORD_BYTES - 1u) / WORD_BYTES * WORD_BYTES;
    status_t status = flash->erase(area);
    if (status == STATUS_OK && padded != 0u) {
        status = flash->write(area, RECORD_HEADER_BYTES, bytes, padded);
    }
    memcpy(words, header, sizeof words);
    return status == STATUS_OK ? flash->write(area, 0, words, sizeof words) : status;
}

status_t record_save(const record_flash_t *flash, const void *bytes, size_t length)
{
    record_header_t newest = {0};
    if (length > flash->area_bytes - RECORD_HEADER_BYTES) {
        return STATUS_SPACE;
    }
    size_t area = record_newest(flash, &newest) == 0u ? 1u : 0u;
    record_header_t header = {
        .magic = MAGIC, .sequence = newest.sequence + 1u, .length = (uint32_t)length};
    header.crc = record_sum(&header, bytes);
    return record_write(flash, area, bytes, &header);
}

// ---- what stands beside it
// -----------------------------------------------------------------------

static bool record_is_blank(const record_flash_t *flash, size_t area)
{
    const uint8_t *bytes = flash->area(area);
    uint32_t word = UINT32_MAX;
    for (size_t at = 0; at < flash->area_bytes && word == UINT32_MAX; at += WORD_BYTES) {
        memcpy(&word, bytes + at, sizeof word);
    }
    return word == UINT32_MAX;
}

record_rest_t record_rest(const record_flash_t *flash, const uint8_t **bytes, size_t *length)
{
    record_header_t header;
    record_rest_t rest = RECORD_BLANK;
    size_t newest = record_newest(flash, &header);
    for (size_t area = 0; area < AREAS; area++) {
        if (area == newest || record_is_blank(flash, area)) {
            continue;
        }
        rest = RECORD_TORN;
        if (record_is_whole(flash, area, &header)) {
            rest = RECORD_OLDER;
            *bytes = flash->area(area) + RECORD_HEADER_BYTES;
            *length = header.length;
        }
    }
    return rest;
}

status_t record_scrub(const record_flash_t *flash)
{
    record_header_t header;
    status_t status = STATUS_OK;
    size_t newest = record_newest(flash, &header);
    for (size_t area = 0; area < AREAS && status == STATUS_OK; area++) {
        if (area != newest && !record_is_blank(flash, area)) {
            status = flash->erase(area);
        }
    }
    return status;
}

status_t record_erase(const record_flash_t *flash)
{
    record_header_t newest;
    size_t last = record_newest(flash, &newest) == 0u ? 0u : 1u;
    status_t status = flash->erase(1u - last);
    return status == STATUS_OK ? flash->erase(last) : status;
}
