// SPDX-License-Identifier: MIT
// The bootloader: judges both slots, says what it found, and runs one. No interrupts, no kernel.
//
// Flash is changed in two places only: an image that is tried is marked before it runs, and the
// floor of the security counter is raised when a confirmed image runs that has a higher one.
#include "boot.h"
#include "boot_crypto_config.h"
#include "flash_phase.h"
#include "floor.h"
#include "platform.h"
#include "signature.h"
#include "slots.h"
#include "watchdog.h"

int main(void);

__attribute__((section(".shared_handover"))) boot_handover_t g_boot_handover;

_Noreturn void boot_crypto_broken(int code)
{
    (void)code;
    platform_reset();
}

void boot_say(line_t *line)
{
    line_end(line);
    platform_uart_write(line->text, line->length);
}

void boot_view_slot(int slot, uint32_t counter_floor, slot_view_t *view)
{
    image_t image;
    image_reader_t reader = slot_reader(slot);
    image_policy_t policy = slot_policy(slot, counter_floor);
    policy.point = g_boot_key;
    policy.signature_holds = signature_holds;
    view->verdict = image_judge(&reader, &policy, &image);
    view->version = image.version;
    view->counter = image.counter;
    if (trailer_read(&reader, &view->state) != STATUS_OK) {
        view->verdict = IMAGE_UNREADABLE;
    }
}

static void boot_say_start(const boot_handover_t *handover)
{
    line_t line;
    line_begin_plain(&line, "boot:");
    line_add_text(&line, "cause", handover->cause == CAUSE_POWER ? "power" : "reset");
    line_add_u32(&line, "boots", handover->boots);
    line_add_u32(&line, "floor", handover->counter_floor);
    line_add_text(&line, "board", RIG_BOARD);
    boot_say(&line);
}

static void boot_say_slot(int slot, const slot_view_t *view)
{
    line_t line;
    char version[IMAGE_VERSION_TEXT_BYTES];
    image_version_text(&view->version, version);
    line_begin_plain(&line, "boot:");
    line_add_text(&line, "slot", slot_name(slot));
    line_add_text(&line, "verdict", image_verdict_word(view->verdict));
    line_add_text(&line, "state", trailer_state_word(view->state));
    line_add_text(&line, "version", version);
    line_add_u32(&line, "counter", view->counter);
    boot_say(&line);
}

static uint32_t boot_us_since_reset(void)
{
    const volatile uint32_t *counter = (const volatile uint32_t *)PLATFORM_COUNTER_AT;
    return *counter / (PLATFORM_COUNTER_HZ / 1000000u);
}

static void boot_say_choice(const boot_handover_t *handover)
{
    line_t line;
    line_begin_plain(&line, "boot:");
    line_add_text(&line, "run", slot_name(handover->slot));
    line_add_text(&line, "reason", boot_reason_word(handover->reason));
    line_add_u32(&line, "watchdog_ms", handover->watchdog_ms);
    line_add_u32(&line, "reset_us", boot_us_since_reset());
    boot_say(&line);
}

static void boot_say_trouble(const char *what, status_t status)
{
    line_t line;
    line_begin_plain(&line, "boot:");
    line_add_text(&line, "trouble", what);
    line_add_text(&line, "status", status_word(status));
    boot_say(&line);
}

// What is known before anything is chosen. RAM that outlived the reset counts on.
static void boot_begin(boot_handover_t *handover)
{
    bool kept = handover_is_whole(&g_boot_handover);
    image_reader_t area = slot_state_reader();
    *handover = (boot_handover_t){.boots = kept ? g_boot_handover.boots + 1u : 1u,
                                  .cause = kept ? CAUSE_RESET : CAUSE_POWER};
    status_t status = floor_read(&area, &handover->counter_floor);
    boot_say_start(handover);
    if (status != STATUS_OK) {
        boot_say_trouble("floor", status);
    }
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        boot_view_slot(slot, handover->counter_floor, &handover->slots[slot]);
        boot_say_slot(slot, &handover->slots[slot]);
    }
}

// An image that cannot be marked as tried is not tried: nobody would know that it must not again.
static boot_choice_t boot_mark(boot_handover_t *handover, boot_choice_t choice)
{
    if (choice.reason != BOOT_TEST) {
        return choice;
    }
    flash_writer_t writer = slot_writer(choice.slot);
    status_t status = trailer_set_tried(&writer, OTA_SLOT_BYTES);
    if (status == STATUS_OK) {
        return choice;
    }
    boot_say_trouble("mark", status);
    handover->slots[choice.slot].state = TRAILER_TRIED;
    return boot_choose(handover->slots);
}

static void boot_raise_floor(const boot_handover_t *handover)
{
    const slot_view_t *view = &handover->slots[handover->slot];
    if (handover->reason == BOOT_TEST) {
        return; // what is not confirmed must not lock out the other one
    }
    image_reader_t area = slot_state_reader();
    flash_writer_t writer = slot_state_writer();
    status_t status = floor_raise(&area, &writer, view->counter);
    if (status != STATUS_OK) {
        boot_say_trouble("floor", status);
    }
}

static boot_choice_t boot_decide(boot_handover_t *handover)
{
    boot_choice_t choice = boot_choose(handover->slots);
    for (int i = 0; i < SLOT_COUNT && choice.reason == BOOT_TEST; i++) {
        boot_choice_t marked = boot_mark(handover, choice);
        if (marked.slot == choice.slot && marked.reason == choice.reason) {
            break;
        }
        choice = marked;
    }
    return choice;
}

int main(void)
{
    boot_handover_t handover;
    boot_board_init();
    flash_phase_set(PHASE_BOOT);
    boot_begin(&handover);
    boot_choice_t choice = boot_decide(&handover);
    handover.slot = choice.slot;
    handover.reason = choice.reason;
    handover.watchdog_ms = choice.reason == BOOT_TEST ? BOOT_WATCHDOG_MS : 0u;
    boot_say_choice(&handover);
    if (choice.slot != SLOT_NONE) {
        boot_raise_floor(&handover);
    }
    flash_phase_set(PHASE_OTHER);
    handover_seal(&handover);
    g_boot_handover = handover;
    if (choice.slot == SLOT_NONE) {
        recovery_run(&g_boot_handover);
    }
    if (handover.watchdog_ms != 0u) {
        platform_watchdog_start(handover.watchdog_ms);
    }
    boot_board_jump(slot_address(choice.slot) + OTA_HEADER_BYTES);
}
