// SPDX-License-Identifier: MIT
#include "self_test.h"

#include "slots.h"
#include "watchdog.h"

__attribute__((section(".shared_handover"))) boot_handover_t g_boot_handover;

static trailer_state_t self_test_state(void)
{
    trailer_state_t state;
    image_reader_t reader = slot_reader(g_boot_handover.slot);
    (void)trailer_read(&reader, &state); // memory: it cannot fail
    return state;
}

static bool self_test_is_ours(void)
{
    return handover_is_whole(&g_boot_handover) && g_boot_handover.slot != SLOT_NONE;
}

bool self_test_runs(void)
{
    return self_test_is_ours() && g_boot_handover.reason == BOOT_TEST &&
           self_test_state() != TRAILER_CONFIRMED;
}

status_t self_test_confirm(void)
{
    if (!self_test_is_ours()) {
        return STATUS_ABSENT;
    }
    if (self_test_state() == TRAILER_CONFIRMED) {
        return STATUS_OK;
    }
    status_t status = slot_confirm(g_boot_handover.slot);
    if (status != STATUS_OK || self_test_state() != TRAILER_CONFIRMED) {
        return STATUS_FLASH;
    }
    platform_watchdog_stop();
    return STATUS_OK;
}
