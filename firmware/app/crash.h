// SPDX-License-Identifier: MIT
// What survives a reset: boot count, why the last reset came, and the record of the first crash.
//
// It lives in no-init RAM behind a magic number, a version and a CRC; anything that does not hold
// is taken as power-on and starts from zero. The record of the first crash stays until crash.clear:
// later crashes of a loop do not overwrite their cause.
#ifndef CRASH_H
#define CRASH_H

#include "line.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    CRASH_NONE,
    CRASH_HARDFAULT,
    CRASH_ASSERT,
    CRASH_STACK,  // stack overflow found by the kernel
    CRASH_MALLOC, // the kernel's heap had no block
    CRASH_VECTOR, // an interrupt or exception nobody handles
} crash_cause_t;

enum { CRASH_TASK_BYTES = 16 };

// Fault registers are 0 where the cause has none.
typedef struct {
    uint32_t cause; // crash_cause_t
    uint32_t pc;    // the faulting instruction, or the call that reports the fault
    uint32_t lr;
    uint32_t psr;
    uint32_t sp; // before the exception
    uint32_t cfsr;
    uint32_t hfsr;
    uint32_t mmfar;
    uint32_t bfar;
    uint32_t boot;               // count of the boot that crashed
    char task[CRASH_TASK_BYTES]; // running task, NUL terminated; "none" before the scheduler
} crash_record_t;

// Reads no-init RAM at boot and prepares it for this one. First in main, once.
void crash_init(void);

// The kept record; cause is CRASH_NONE if there is none. Tasks, and main after crash_init.
const crash_record_t *crash_record(void);

// Adds the record's fields to a line: `present=0`, or `present=1 cause=… … boot=…`.
void crash_add_fields(line_t *line);

// Forgets the record; returns whether there was one.
bool crash_clear(void);

// Cause of the last reset in the words of the boot event, and boots since power-on (1 is the
// first).
const char *crash_reset_cause(void);
uint32_t crash_boot_count(void);

// Asks for an assert at every boot until power-off; whether that was asked for.
void crash_set_bootloop(void);
bool crash_is_bootloop(void);

// Resets on request: the next boot has cause=software.
_Noreturn void crash_reboot(void);

// ---- entries that record and reset; any context, never return -----------------------------------

// From configASSERT and ASSERT: pc is the assert's place, lr where its function returns to.
__attribute__((noinline, noreturn)) void crash_from_assert(const void *caller);

// From HardFault_Handler, with the stacked frame and EXC_RETURN (Armv7-M ARM, B1.5.6 and B1.5.8).
_Noreturn void crash_from_fault(const uint32_t *frame, uint32_t exc_return);

// From Unhandled_Handler, the vector of every interrupt and exception nobody handles.
_Noreturn void crash_from_vector(const uint32_t *frame, uint32_t exc_return);

// Marks our own bug; VERIFY-style checks of outside input return a status_t instead.
#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            crash_from_assert(__builtin_return_address(0));                                        \
        }                                                                                          \
    } while (0)

#endif
