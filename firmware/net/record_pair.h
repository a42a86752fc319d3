// SPDX-License-Identifier: MIT
// One record that survives a cut of power at any moment: it stands in one of two areas of flash,
// and is always written to the other one, whose header comes last. Pure: flash is a parameter.
//
// An area begins with the header: `RIGR`, sequence number, bytes of the record, and the CRC-32 of
// those three and the record, each a word, low byte first.
#ifndef RECORD_PAIR_H
#define RECORD_PAIR_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

enum { RECORD_HEADER_BYTES = 16 };

// Flash with two areas of one size. `place` is a byte within an area, a multiple of 4, as lengths
// are. Returns of erase and write: STATUS_OK or an error, after which the area is undefined.
typedef struct {
    size_t area_bytes;
    const uint8_t *(*area)(size_t area);
    status_t (*erase)(size_t area);
    status_t (*write)(size_t area, size_t place, const uint32_t *words, size_t length);
} record_flash_t;

// The newest whole record: its bytes in flash and their number. STATUS_UNKNOWN: there is none.
status_t record_load(const record_flash_t *flash, const uint8_t **bytes, size_t *length);

// Writes a record in place of the newest; until this has ended well, that one stays. `bytes` is
// aligned to 4, and may be read up to the next multiple of 4 behind its end. STATUS_SPACE, or what
// flash says.
status_t record_save(const record_flash_t *flash, const void *bytes, size_t length);

// What stands beside the newest record: nothing, the record that it took the place of, or what a
// cut of power left of a record. If there is no whole record at all, the latter is meant of both
// areas.
typedef enum { RECORD_BLANK, RECORD_OLDER, RECORD_TORN } record_rest_t;

// Tells it; *bytes and *length are set for RECORD_OLDER alone.
record_rest_t record_rest(const record_flash_t *flash, const uint8_t **bytes, size_t *length);

// Erases what stands beside the newest record, so that nothing of it can be read any more. A cut of
// power leaves the newest as it is, and a rest that record_rest() tells of.
status_t record_scrub(const record_flash_t *flash);

// Erases both areas, the newest last.
status_t record_erase(const record_flash_t *flash);

#endif
