// SPDX-License-Identifier: MIT
// The floor of the security counter, which only rises: records of 16 bytes, one behind another in
// two sectors. Pure.
//
// The floor is the highest record that is whole; a torn one is passed over. A full sector is left
// as it is while the other is erased and written, so that there is no moment without the floor.
#ifndef FLOOR_H
#define FLOOR_H

#include "image.h"
#include "trailer.h"

enum { FLOOR_RECORD_BYTES = 16 };

// The floor; 0 where none was ever written. `area` has two sectors of half its size.
status_t floor_read(const image_reader_t *area, uint32_t *counter);

// Raises it to `counter`: one program, or an erase and a program. Nothing to do where it is there
// already. STATUS_FLASH where the record does not read back.
status_t floor_raise(const image_reader_t *area, const flash_writer_t *writer, uint32_t counter);

#endif
