// SPDX-License-Identifier: MIT
// NOR flash as the emulated board must obey it, over memory that QEMU keeps: operations are
// counted, checked, and can be stopped, torn and failed by the rig. Only in images with OTA; below
// the flash driver. Pure but for nor_stop().
//
// The rules: an erase takes a whole sector; a program stays within a page, begins and ends at a
// unit, and only clears bits. An operation against them changes nothing and is counted as refused.
//
// The rig finds g_nor_control by its symbol, at the same place in the bootloader and in every
// application, and writes it through the probe; it lasts over a reset and is gone with the power.
#ifndef NOR_MODEL_H
#define NOR_MODEL_H

#include "flash_phase.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOR_MAGIC 0x31524F4Eu // "NOR1"

enum {
    NOR_VERSION = 1,
    NOR_SECTOR_BYTES = 4096,
    NOR_PAGE_BYTES = 256,
    NOR_UNIT_BYTES = 8,
    NOR_RING_ROWS = 1024,
};

typedef enum { NOR_ERASE = 1, NOR_PROGRAM = 2 } nor_kind_t;

// Where an operation may stop, as bits: before it, with its first part done, with a random part of
// its bits done.
enum { NOR_STOP_BEFORE = 1, NOR_STOP_TORN_PART = 2, NOR_STOP_TORN_BITS = 4 };

// An operation. By phase, kind, address and length it is the same one in another run; by number it
// need not be.
typedef struct {
    uint32_t number; // from 1
    uint32_t address;
    uint32_t length;
    uint8_t kind;   // nor_kind_t
    uint8_t phase;  // flash_phase_t
    uint8_t status; // 0, or -status_t of one that was refused or failed
    uint8_t unused;
} nor_operation_t;

typedef struct {
    uint32_t magic;
    uint16_t version;
    uint16_t size; // of all of it

    // Written by the rig.
    uint32_t stops;         // bits NOR_STOP_*; 0: none
    uint32_t stop_at;       // number of the operation; 0: every one
    uint32_t seed;          // of what a torn operation has done
    uint32_t fail;          // bits by kind: 1 << NOR_ERASE, 1 << NOR_PROGRAM
    uint32_t fail_at;       // number of the operation that fails, changing nothing; 0: every one
    uint32_t stuck_address; // of a byte ...
    uint32_t stuck_mask;    // ... and those of its bits that no operation changes
    uint32_t go_on;         // written at a stop: not 0 lets the core go on

    // Written by the model.
    uint32_t stopped; // the NOR_STOP_* it stands at, or 0
    uint32_t phase;   // of the operations that come
    uint32_t count;   // operations since power-on
    uint32_t refused; // of them, against the rules
    nor_operation_t now;
    nor_operation_t ring[NOR_RING_ROWS]; // operation n is in row (n - 1) % NOR_RING_ROWS
} nor_control_t;

typedef struct {
    uint8_t *medium; // its bytes
    uint32_t at;     // address of the first
    uint32_t size;
    nor_control_t *control;
} nor_t;

// Prepares a control block that power-on left without its magic; one that the rig wrote stays.
void nor_begin(nor_control_t *control);

// Erases the sector that begins at `address`. STATUS_RANGE: outside, or no sector begins there.
// STATUS_FLASH: told to fail.
status_t nor_erase(const nor_t *nor, uint32_t address);

// Programs `length` bytes. STATUS_RANGE: outside, over a page's end, or not in whole units.
// STATUS_FLASH: a bit would have to become 1, or told to fail.
status_t nor_program(const nor_t *nor, uint32_t address, const void *bytes, uint32_t length);

// Where the core stands at a stop until control->go_on is written; the rig has a breakpoint here.
// On the board in boards/mps2/nor_flash.c.
void nor_stop(nor_control_t *control, uint32_t stop);

#endif
