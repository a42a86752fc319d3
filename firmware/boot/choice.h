// SPDX-License-Identifier: MIT
// Which slot runs, from what is known of both. Pure.
#ifndef CHOICE_H
#define CHOICE_H

#include "image.h"
#include "trailer.h"

enum { SLOT_COUNT = 2, SLOT_NONE = -1 };

typedef struct {
    image_verdict_t verdict;
    trailer_state_t state;
    image_version_t version;
    uint32_t counter;
} slot_view_t;

typedef enum {
    BOOT_CONFIRMED, // the newest confirmed image
    BOOT_TEST,      // an image that asked to be tried
    BOOT_REVERT,    // the confirmed one, because the other was tried and never confirmed
    BOOT_REFUSED,   // the confirmed one, because the other is bad or no newer
    BOOT_RECOVERY,  // no slot may run
    BOOT_REASONS,
} boot_reason_t;

// The word of a reason, as the console and the rig know it.
const char *boot_reason_word(boot_reason_t reason);

typedef struct {
    int slot; // 0, 1 or SLOT_NONE
    boot_reason_t reason;
} boot_choice_t;

// An image that asks to be tried runs before a confirmed one if it is newer; of two confirmed ones
// the newer, of two as old the first. What was tried and not confirmed never runs.
boot_choice_t boot_choose(const slot_view_t slots[SLOT_COUNT]);

#endif
