// SPDX-License-Identifier: MIT
// Where the flash of a board with OTA holds what: the one place that says so. Linker scripts take
// the numbers from here through the preprocessor, the rig takes them from g_flash_layout in the
// bootloader's ELF. Reasons: docs/ota-boot.md.
#ifndef FLASH_LAYOUT_H
#define FLASH_LAYOUT_H

#define OTA_SLOT_A_AT    0x21100000
#define OTA_SLOT_B_AT    0x21180000
#define OTA_SLOT_BYTES   0x80000
#define OTA_HEADER_BYTES 0x200      // of an image; its vectors are right behind
#define OTA_SECTOR_BYTES 0x1000     // the last sector of a slot is the trailer's alone
#define OTA_STATE_AT     0x21200000 // the bootloader's: floor of the security counter
#define OTA_STATE_BYTES  0x2000
#define OTA_AGENT_AT     0x21202000 // the agent's: its job and its bitmap
#define OTA_AGENT_BYTES  0x2000
#define OTA_RAM_AT       0x20000000
#define OTA_RAM_BYTES    0x400000
#define OTA_BOOT_RAM_AT  0x20300000 // of the bootloader while it runs; an application's otherwise
#define OTA_SHARED_AT    0x203E0000 // kept by both over a reset: boot_handover_t, then the ...
#define OTA_NOR_AT       0x203E0100 // ... control block of the flash model
#define OTA_SHARED_BYTES 0x8000     // what is behind belongs to the probe's flash algorithm

#endif
