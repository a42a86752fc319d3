// SPDX-License-Identifier: MIT
// The two slots in flash as the agent uses them: it writes the one that it does not run from, and
// marks it. How they lie: slots.h; the marks: boot/trailer.h. An image without RIG_OTA has them
// too, but no bootloader that tries what is in them. From one task at a time.
#ifndef OTA_SLOT_H
#define OTA_SLOT_H

#include "image.h"
#include "trailer.h"

enum { OTA_SLOT_A, OTA_SLOT_B, OTA_SLOT_NONE };

// The slot that this image runs from; OTA_SLOT_NONE: it is not in one.
uint32_t ota_slot_running(void);

// The one to write: the other; A if this image is in none.
uint32_t ota_slot_target(void);

// The longest file that a slot takes.
uint32_t ota_slot_room(void);

// A slot's bytes in memory.
const uint8_t *ota_slot_bytes(uint32_t slot);

// Erases what a file of `bytes` will need, the trailer's sector first: a slot that is half erased
// is never one to be tried. STATUS_RANGE: too long, or this image is being tried, so that the slot
// holds what the bootloader would go back to.
status_t ota_slot_erase(uint32_t slot, uint32_t bytes);

// Writes at an offset that is a multiple of 8; `words` may be read up to the next multiple of 8
// behind `length`, and is filled up with 0xFF there. STATUS_FLASH, STATUS_RANGE.
status_t ota_slot_write(uint32_t slot, uint32_t offset, uint32_t *words, uint32_t length);

// The trailer of a slot. TRAILER_NONE for OTA_SLOT_NONE.
trailer_state_t ota_slot_state(uint32_t slot);

// Whether this image runs to be tried, and nobody has confirmed it yet.
bool ota_slot_is_in_test(void);

// Marks a slot to be tried, and takes its marks back by erasing their sector.
status_t ota_slot_mark(uint32_t slot);
status_t ota_slot_unmark(uint32_t slot);

// Has this image stay, as self_test_confirm().
status_t ota_slot_confirm(void);

// The image that a slot holds: false if it holds none that is whole and fits `bytes`.
bool ota_slot_image(uint32_t slot, uint32_t bytes, image_t *image);

// The version32 of what runs: of its header, or of the firmware's version text if it has none.
uint32_t ota_slot_running_version(void);

// The agent's record, beside the slots.
#include "record_pair.h"
extern const record_flash_t g_ota_record_flash;

#endif
