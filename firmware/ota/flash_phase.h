// SPDX-License-Identifier: MIT
// What the flash is being changed for: by this the rig names an operation the same way in every
// run. Said by whoever changes it, before; costs one store.
#ifndef FLASH_PHASE_H
#define FLASH_PHASE_H

typedef enum {
    PHASE_OTHER, // keys, networks: nothing of an update
    PHASE_DOWNLOAD,
    PHASE_VERIFY,
    PHASE_MARK,
    PHASE_CONFIRM,
    PHASE_BOOT,
    PHASE_RECOVERY,
    FLASH_PHASES,
} flash_phase_t;

// From one task at a time; on the emulated board in boards/mps2/nor_flash.c.
void flash_phase_set(flash_phase_t phase);

#endif
