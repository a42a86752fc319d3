// SPDX-License-Identifier: MIT
#include "floor.h"

#include "crc16.h"

#include <string.h>

#define FLOOR_MAGIC 0x524F4C46u // "FLOR"

typedef struct {
    uint32_t magic;
    uint32_t counter;
    uint32_t inverse;
    uint32_t check;
} floor_record_t;

_Static_assert(sizeof(floor_record_t) == FLOOR_RECORD_BYTES, "records are programmed whole");

static floor_record_t floor_record(uint32_t counter)
{
    floor_record_t record = {FLOOR_MAGIC, counter, ~counter, 0};
    record.check = crc16_update(CRC16_INITIAL, &record, offsetof(floor_record_t, check));
    return record;
}

static bool floor_is_erased(const floor_record_t *record)
{
    const uint8_t *bytes = (const uint8_t *)record;
    for (size_t i = 0; i < sizeof *record; i++) {
        if (bytes[i] != 0xFFu) {
            return false;
        }
    }
    return true;
}

typedef struct {
    uint32_t counter;
    uint32_t best_at; // where the highest record is
    uint32_t free_at; // behind the last record of its sector; the sector's end where it is full
} floor_scan_t;

static uint32_t floor_sector_end(const image_reader_t *area, uint32_t at)
{
    uint32_t half = area->size / 2u;
    return at < half ? half : 2u * half;
}

// One sector: its highest record, and where the next one would go.
static status_t floor_scan_sector(const image_reader_t *area, uint32_t at, floor_scan_t *scan)
{
    uint32_t end = floor_sector_end(area, at);
    bool best_is_here = false;
    uint32_t free_at = at;
    for (; at < end; at += FLOOR_RECORD_BYTES) {
        floor_record_t record;
        status_t status = image_read(area, at, &record, sizeof record);
        if (status != STATUS_OK) {
            return status;
        }
        floor_record_t whole = floor_record(record.counter);
        if (memcmp(&record, &whole, sizeof record) == 0 && record.counter > scan->counter) {
            scan->counter = record.counter;
            scan->best_at = at;
            best_is_here = true;
        }
        if (!floor_is_erased(&record)) {
            free_at = at + FLOOR_RECORD_BYTES;
        }
    }
    if (best_is_here || scan->counter == 0u) {
        scan->free_at = free_at;
    }
    return STATUS_OK;
}

static status_t floor_scan(const image_reader_t *area, floor_scan_t *scan)
{
    *scan = (floor_scan_t){0};
    status_t status = floor_scan_sector(area, area->size / 2u, scan);
    return status == STATUS_OK ? floor_scan_sector(area, 0, scan) : status;
}

status_t floor_read(const image_reader_t *area, uint32_t *counter)
{
    floor_scan_t scan;
    status_t status = floor_scan(area, &scan);
    *counter = scan.counter;
    return status;
}

status_t floor_raise(const image_reader_t *area, const flash_writer_t *writer, uint32_t counter)
{
    floor_scan_t scan;
    status_t status = floor_scan(area, &scan);
    if (status != STATUS_OK || counter <= scan.counter) {
        return status;
    }
    uint32_t half = area->size / 2u;
    uint32_t at = scan.free_at;
    if (at == floor_sector_end(area, scan.best_at)) { // full: on in the other one
        at = scan.best_at < half ? half : 0u;
        status = writer->erase(writer->context, at);
    }
    floor_record_t record = floor_record(counter);
    if (status == STATUS_OK) {
        status = writer->write(writer->context, at, &record, sizeof record);
    }
    uint32_t written = 0;
    if (status == STATUS_OK) {
        status = floor_read(area, &written);
    }
    return status == STATUS_OK && written != counter ? STATUS_FLASH : status;
}
