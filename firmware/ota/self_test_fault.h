// SPDX-License-Identifier: MIT
// What is wrong on purpose with an image that is being tried, so that the way back can be seen: one
// fault per image, by the build's RIG_SELF_TEST_FAULT. No other build has any of it.
#ifndef SELF_TEST_FAULT_H
#define SELF_TEST_FAULT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SELF_TEST_FAULT_NONE,
    SELF_TEST_CRASH_ON_BOOT,       // before the kernel runs
    SELF_TEST_HANG,                // there, interrupts off: only the watchdog is left
    SELF_TEST_NO_NETWORK,          // shows TLS servers no certificate: none lets it in
    SELF_TEST_NEVER_CONFIRMS,      // however good the self-test was
    SELF_TEST_CONFIRMS_LATE,       // has no time-out of its own, and confirms after the watchdog's
    SELF_TEST_FAULT_AFTER_CONFIRM, // crashes between the mark and the report of it
};

#ifndef RIG_SELF_TEST_FAULT
    #define RIG_SELF_TEST_FAULT SELF_TEST_FAULT_NONE
#endif

enum { SELF_TEST_LATE_MS = 60000 }; // after boot; no watchdog waits so long

// At boot, of an image that is being tried.
static inline void self_test_fault_at_boot(void)
{
    if (RIG_SELF_TEST_FAULT == SELF_TEST_CRASH_ON_BOOT) {
        __builtin_trap();
    }
    while (RIG_SELF_TEST_FAULT == SELF_TEST_HANG) {
        __asm volatile("cpsid i");
    }
}

static inline bool self_test_fault_has_no_identity(void)
{
    return RIG_SELF_TEST_FAULT == SELF_TEST_NO_NETWORK;
}

static inline bool self_test_fault_has_no_timer(void)
{
    return RIG_SELF_TEST_FAULT == SELF_TEST_CONFIRMS_LATE;
}

// Whether it must not confirm, so long after boot.
static inline bool self_test_fault_withholds(uint32_t now_ms)
{
    return RIG_SELF_TEST_FAULT == SELF_TEST_NEVER_CONFIRMS ||
           (RIG_SELF_TEST_FAULT == SELF_TEST_CONFIRMS_LATE && now_ms < SELF_TEST_LATE_MS);
}

static inline void self_test_fault_after_confirm(void)
{
    if (RIG_SELF_TEST_FAULT == SELF_TEST_FAULT_AFTER_CONFIRM) {
        __builtin_trap();
    }
}

#endif
