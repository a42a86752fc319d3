// SPDX-License-Identifier: MIT
// Parts of the bootloader on the board: what it says, recovery, and the code of the board under it.
#ifndef BOOT_H
#define BOOT_H

#include "handover.h"
#include "line.h"

// The key that images are checked with; generated from RIG_BOOT_KEY by key_source.py.
extern const uint8_t g_boot_key[IMAGE_POINT_BYTES];

// Sends a line that was begun plain, as `boot: …`.
void boot_say(line_t *line);

// Judges a slot as it lies in flash.
void boot_view_slot(int slot, uint32_t counter_floor, slot_view_t *view);

// Takes an image over the UART until one is good, stages it to be tried, and resets.
_Noreturn void recovery_run(const boot_handover_t *handover);

// ---- the board's (boards/<name>/boot_board.c)

// Starts the UART, without interrupts.
void boot_board_init(void);

// The next byte that the UART receives; waits for it.
uint8_t boot_board_receive(void);

// Leaves for the vectors at this address, as a reset would.
_Noreturn void boot_board_jump(uint32_t vectors);

#endif
