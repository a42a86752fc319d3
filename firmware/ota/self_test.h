// SPDX-License-Identifier: MIT
// The self-test of an image that the bootloader tries: it runs under the watchdog until it is
// confirmed. For the agent and the console; from tasks.
#ifndef SELF_TEST_H
#define SELF_TEST_H

#include "handover.h"

// Whether this image is being tried and is not confirmed yet.
bool self_test_runs(void);

// Keeps this image for good and stops the watchdog; nothing to do for one that is kept already.
// STATUS_ABSENT: no bootloader started it. STATUS_FLASH: the mark does not take, and the watchdog
// goes on.
status_t self_test_confirm(void);

#endif
