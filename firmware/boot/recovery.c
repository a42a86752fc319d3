// SPDX-License-Identifier: MIT
// Recovery over the UART, when no slot may run. It speaks the console's line grammar, so that the
// rig needs no second protocol and every line has its check value:
//   recover.begin slot=a|b bytes=<n>   erases the slot
//   recover.write at=<offset> data=<hexadecimal>   offsets in steps of 8
//   recover.end                        judges it; good: it is staged to be tried, and the core
//   resets boot.status                        why it is here
#include "boot.h"

#include "flash_phase.h"
#include "hex.h"
#include "platform.h"
#include "request.h"
#include "slots.h"

#include <string.h>

typedef struct {
    int slot; // SLOT_NONE before recover.begin
    uint32_t bytes;
    bool done;
    const boot_handover_t *handover;
} recovery_t;

static const char *recovery_value(const request_t *request, const char *key)
{
    for (size_t i = 0; i < request->count; i++) {
        if (request->fields[i].key != NULL && strcmp(request->fields[i].key, key) == 0) {
            return request->fields[i].value;
        }
    }
    return "";
}

static line_t *recovery_ok(const request_t *request, line_t *line)
{
    line_begin_reply(line, request->seq, 0, "ok");
    return line;
}

static void recovery_refuse(const request_t *request, const char *word, const char *what)
{
    line_t line;
    line_begin_reply(&line, request->seq, 0, "err");
    line_add_text(&line, "code", word);
    line_add_text(&line, "what", what);
    boot_say(&line);
}

static status_t recovery_erase(int slot)
{
    flash_writer_t writer = slot_writer(slot);
    status_t status = STATUS_OK;
    for (uint32_t at = 0; at < OTA_SLOT_BYTES && status == STATUS_OK; at += OTA_SECTOR_BYTES) {
        status = writer.erase(writer.context, at);
    }
    return status;
}

static void recovery_begin(recovery_t *recovery, const request_t *request)
{
    line_t line;
    int32_t bytes;
    const char *slot = recovery_value(request, "slot");
    if (strcmp(slot, "a") != 0 && strcmp(slot, "b") != 0) {
        recovery_refuse(request, "value", "slot");
        return;
    }
    if (request_parse_number(recovery_value(request, "bytes"), 1, OTA_SLOT_BYTES - OTA_SECTOR_BYTES,
                             &bytes) != STATUS_OK) {
        recovery_refuse(request, "value", "bytes");
        return;
    }
    recovery->slot = slot[0] - 'a';
    recovery->bytes = (uint32_t)bytes;
    status_t status = recovery_erase(recovery->slot);
    if (status != STATUS_OK) {
        recovery_refuse(request, status_word(status), "erase");
        return;
    }
    line_add_address(recovery_ok(request, &line), "address", slot_address(recovery->slot));
    boot_say(&line);
}

static void recovery_write(recovery_t *recovery, const request_t *request)
{
    line_t line;
    int32_t at;
    uint8_t bytes[HEX_MOST_BYTES + TRAILER_UNIT];
    memset(bytes, 0xFF, sizeof bytes);
    int count = hex_parse(recovery_value(request, "data"), bytes, HEX_MOST_BYTES);
    if (recovery->slot == SLOT_NONE || count <= 0) {
        recovery_refuse(request, "value", recovery->slot == SLOT_NONE ? "begin" : "data");
        return;
    }
    if (request_parse_number(recovery_value(request, "at"), 0, (int32_t)recovery->bytes - count,
                             &at) != STATUS_OK ||
        at % TRAILER_UNIT != 0) {
        recovery_refuse(request, "range", "at");
        return;
    }
    uint32_t whole = ((uint32_t)count + TRAILER_UNIT - 1u) / TRAILER_UNIT * TRAILER_UNIT;
    flash_writer_t writer = slot_writer(recovery->slot);
    status_t status = writer.write(writer.context, (uint32_t)at, bytes, whole);
    if (status != STATUS_OK) {
        recovery_refuse(request, status_word(status), "write");
        return;
    }
    line_add_u32(recovery_ok(request, &line), "bytes", (uint32_t)count);
    boot_say(&line);
}

static void recovery_end(recovery_t *recovery, const request_t *request)
{
    line_t line;
    slot_view_t view;
    if (recovery->slot == SLOT_NONE) {
        recovery_refuse(request, "value", "begin");
        return;
    }
    boot_view_slot(recovery->slot, recovery->handover->counter_floor, &view);
    status_t status =
        view.verdict == IMAGE_GOOD ? slot_ask_for_test(recovery->slot) : STATUS_REFUSED;
    flash_phase_set(PHASE_RECOVERY);
    if (status != STATUS_OK) {
        recovery_refuse(request, status_word(status), image_verdict_word(view.verdict));
        return;
    }
    line_add_text(recovery_ok(request, &line), "verdict", image_verdict_word(view.verdict));
    boot_say(&line);
    recovery->done = true;
}

static void recovery_status(const recovery_t *recovery, const request_t *request)
{
    line_t line;
    recovery_ok(request, &line);
    line_add_text(&line, "slot", slot_name(SLOT_NONE));
    line_add_text(&line, "reason", boot_reason_word(recovery->handover->reason));
    line_add_u32(&line, "floor", recovery->handover->counter_floor);
    boot_say(&line);
}

static void recovery_answer(recovery_t *recovery, char *text)
{
    request_t request;
    if (request_parse(text, &request) != STATUS_OK || !request.framed) {
        return; // noise, or a person: the sender repeats
    }
    if (strcmp(request.command, "recover.begin") == 0) {
        recovery_begin(recovery, &request);
    } else if (strcmp(request.command, "recover.write") == 0) {
        recovery_write(recovery, &request);
    } else if (strcmp(request.command, "recover.end") == 0) {
        recovery_end(recovery, &request);
    } else if (strcmp(request.command, "boot.status") == 0) {
        recovery_status(recovery, &request);
    } else {
        recovery_refuse(&request, "unknown", request.command);
    }
}

// One line without its end, NUL terminated; what is too long is cut, and then no request.
static void recovery_read_line(char *text, size_t size)
{
    size_t length = 0;
    for (char byte = (char)boot_board_receive(); byte != '\n'; byte = (char)boot_board_receive()) {
        if (byte != '\r' && length + 1u < size) {
            text[length++] = byte;
        }
    }
    text[length] = '\0';
}

_Noreturn void recovery_run(const boot_handover_t *handover)
{
    static char s_text[LINE_MAX_BYTES + 1];
    recovery_t recovery = {.slot = SLOT_NONE, .handover = handover};
    line_t line;
    flash_phase_set(PHASE_RECOVERY);
    line_begin_plain(&line, "boot:");
    line_add_text(&line, "recovery", "ready");
    boot_say(&line);
    while (!recovery.done) {
        recovery_read_line(s_text, sizeof s_text);
        recovery_answer(&recovery, s_text);
    }
    platform_reset();
}
