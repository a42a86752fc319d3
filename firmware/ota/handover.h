// SPDX-License-Identifier: MIT
// What the bootloader tells the application: a block at OTA_SHARED_AT, written at every boot, which
// a reset leaves as it is and power-off ends.
#ifndef HANDOVER_H
#define HANDOVER_H

#include "choice.h"

#define HANDOVER_MAGIC 0x31564F48u // "HOV1"

// Why the core was reset, as far as this board can tell.
typedef enum { CAUSE_POWER, CAUSE_RESET } boot_cause_t;

typedef struct {
    uint32_t magic;
    uint32_t boots;         // since power-on, this one too
    int32_t slot;           // that runs, 0 or 1; SLOT_NONE in recovery
    uint32_t reason;        // boot_reason_t
    uint32_t cause;         // boot_cause_t
    uint32_t counter_floor; // as it was when the slot was chosen
    uint32_t watchdog_ms;   // it runs until it is stopped; 0: not started
    slot_view_t slots[SLOT_COUNT];
    uint32_t check; // CRC-16 of all before
} boot_handover_t;

extern boot_handover_t g_boot_handover;

// Whether the block was written by a bootloader since power-on.
bool handover_is_whole(const boot_handover_t *handover);

// Sets its check value.
void handover_seal(boot_handover_t *handover);

#endif
