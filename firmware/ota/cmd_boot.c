// SPDX-License-Identifier: MIT
// Commands about the bootloader: what it found, and that this image is to stay.
#include "commands_table.h"
#include "console.h"
#include "self_test.h"
#include "slots.h"

static void boot_add_state(line_t *line, int slot)
{
    trailer_state_t state;
    image_reader_t reader = slot_reader(slot);
    (void)trailer_read(&reader, &state); // memory: it cannot fail
    line_add_text(line, "state", trailer_state_word(state));
}

static void boot_add_version(line_t *line, const slot_view_t *view)
{
    char version[IMAGE_VERSION_TEXT_BYTES];
    image_version_text(&view->version, version);
    line_add_text(line, "version", version);
}

void command_boot_status(const command_call_t *call, reply_t *reply)
{
    (void)call;
    const boot_handover_t *handover = &g_boot_handover;
    if (!handover_is_whole(handover) || handover->slot == SLOT_NONE) {
        reply_error(reply, status_word(STATUS_ABSENT), "");
        return;
    }
    line_t *line = reply_ok(reply);
    line_add_text(line, "slot", slot_name(handover->slot));
    line_add_text(line, "reason", boot_reason_word(handover->reason));
    line_add_text(line, "cause", handover->cause == CAUSE_POWER ? "power" : "reset");
    line_add_u32(line, "boots", handover->boots);
    line_add_u32(line, "floor", handover->counter_floor);
    line_add_u32(line, "watchdog_ms", self_test_runs() ? handover->watchdog_ms : 0u);
    boot_add_version(line, &handover->slots[handover->slot]);
    boot_add_state(line, handover->slot);
    reply_send(reply);
}

void command_boot_slots(const command_call_t *call, reply_t *reply)
{
    (void)call;
    const boot_handover_t *handover = &g_boot_handover;
    if (!handover_is_whole(handover)) {
        reply_error(reply, status_word(STATUS_ABSENT), "");
        return;
    }
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        const slot_view_t *view = &handover->slots[slot];
        line_t *line = reply_data(reply);
        line_add_text(line, "slot", slot_name(slot));
        line_add_text(line, "verdict", image_verdict_word(view->verdict));
        boot_add_state(line, slot);
        boot_add_version(line, view);
        line_add_u32(line, "counter", view->counter);
        reply_send(reply);
    }
    line_add_u32(reply_ok(reply), "rows", SLOT_COUNT);
    reply_send(reply);
}

void command_boot_confirm(const command_call_t *call, reply_t *reply)
{
    (void)call;
    status_t status = self_test_confirm();
    if (status != STATUS_OK) {
        reply_error(reply, status_word(status), "");
        return;
    }
    line_t *line = reply_ok(reply);
    line_add_text(line, "slot", slot_name(g_boot_handover.slot));
    boot_add_state(line, g_boot_handover.slot);
    reply_send(reply);
}
