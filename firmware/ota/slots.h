// SPDX-License-Identifier: MIT
// The two slots and the bootloader's state, as they lie in this board's flash: readers and writers
// for the pure parts of boot/. For the bootloader and for applications with OTA; writing from one
// task only.
#ifndef SLOTS_H
#define SLOTS_H

#include "choice.h"
#include "flash_layout.h"
#include "trailer.h"

// Address of slot 0 (a) or 1 (b), and the slot's letter.
uint32_t slot_address(int slot);
const char *slot_name(int slot);

// A slot whole, its trailer too.
image_reader_t slot_reader(int slot);
flash_writer_t slot_writer(int slot);

// The two sectors with the floor of the security counter.
image_reader_t slot_state_reader(void);
flash_writer_t slot_state_writer(void);

// The policy by which this board's bootloader judges an image in the slot; `point` and the verifier
// are the caller's to set.
image_policy_t slot_policy(int slot, uint32_t counter_floor);

// Asks the bootloader to try the image in a slot, once, at the next reset. The trailer's sector
// must be erased.
status_t slot_ask_for_test(int slot);

// Keeps the image that runs from the slot for good.
status_t slot_confirm(int slot);

#endif
