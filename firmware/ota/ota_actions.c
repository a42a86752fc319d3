// SPDX-License-Identifier: MIT
// What net.ota does when the table says so.
#include "flash_phase.h"
#include "ota_context.h"
#include "ota_http.h"
#include "ota_signature.h"
#include "ota_slot.h"
#include "platform.h"
#include "self_test_fault.h"
#include "writer.h"

#include <string.h>

enum { FLUSH_MS = 2000, LAST_WORDS_TICKS = 2 };

void ota_wait(uint32_t ms)
{
    g_ota.waits = true;
    g_ota.deadline_ms = ota_now_ms() + ms;
}

void ota_note_error(ota_error_t error, uint32_t sub)
{
    g_ota.status.error = error;
    g_ota.status.sub = sub;
}

// ---- the job in hand ---------------------------------------------------------------------------

status_t ota_save_record(void)
{
    g_ota.unsaved = 0;
    return g_ota.has_record ? record_save(&g_ota_record_flash, &g_ota.record, sizeof g_ota.record)
                            : STATUS_OK;
}

static void act_forget(void)
{
    if (g_ota.has_record) {
        (void)record_save(&g_ota_record_flash, &g_ota.record, 0);
    }
    ota_cloud_drop_blocks();
    ota_http_close();
    g_ota.has_record = g_ota.has_job = false;
    memset(&g_ota.record, 0, sizeof g_ota.record);
}

// Erases what the job's file needs, and begins its record.
static ota_event_t act_take(void)
{
    uint32_t slot = ota_slot_target();
    bool fits = g_ota.job.bytes <= ota_slot_room() &&
                ota_record_begin(&g_ota.record, &g_ota.job, slot,
                                 ota_task_settings()->block_bytes) == STATUS_OK;
    g_ota.has_record = fits;
    if (!fits) {
        ota_note_error(OTA_ERROR_SIZE, g_ota.job.bytes);
        return OTA_ON_FAILED;
    }
    g_ota.record.from_version = ota_slot_running_version();
    status_t status = ota_slot_erase(slot, g_ota.job.bytes);
    status = status == STATUS_OK ? ota_save_record() : status;
    if (status != STATUS_OK) {
        ota_note_error(OTA_ERROR_FLASH, (uint32_t)-status);
        return OTA_ON_FAILED;
    }
    return OTA_EVENTS;
}

// ---- the image ---------------------------------------------------------------------------------

static bool act_is_newer(const image_t *image)
{
    uint32_t runs = ota_slot_running_version();
    g_ota.record.to_version =
        ota_version32(image->version.major, image->version.minor, image->version.revision);
    if (g_ota.record.to_version > runs) {
        return true;
    }
    ota_note_error(OTA_ERROR_VERSION, g_ota.record.to_version);
    return false;
}

// What the bootloader will look at it looks at again: here only what a download can be wrong in.
static bool act_is_good(void)
{
    static image_t s_image;
    uint32_t bytes = g_ota.record.blocks.file_bytes;
    status_t status = ota_signature_check(g_ota.job.certfile, ota_slot_bytes(g_ota.record.slot),
                                          bytes, g_ota.job.signature, g_ota.job.signature_bytes);
    if (status != STATUS_OK) {
        ota_note_error(OTA_ERROR_SIGNATURE, (uint32_t)-status);
        return false;
    }
    if (!ota_slot_image(g_ota.record.slot, bytes, &s_image)) {
        ota_note_error(OTA_ERROR_IMAGE, 0);
        return false;
    }
    return act_is_newer(&s_image);
}

static ota_event_t act_verify(void)
{
    if (!act_is_good()) {
        return OTA_ON_BAD_IMAGE;
    }
    g_ota.record.kept = OTA_KEPT_STAGED;
    flash_phase_set(PHASE_VERIFY);
    status_t status = ota_save_record();
    if (status != STATUS_OK) {
        ota_note_error(OTA_ERROR_FLASH, (uint32_t)-status);
        return OTA_ON_BAD_IMAGE;
    }
    return OTA_ON_VERIFIED;
}

static ota_event_t act_mark(void)
{
    status_t status = ota_slot_mark(g_ota.record.slot);
    if (status != STATUS_OK) {
        ota_note_error(OTA_ERROR_FLASH, (uint32_t)-status);
        return OTA_ON_FAILED;
    }
    return OTA_EVENTS;
}

// An image that cannot be marked will not be there after a reset: nothing else may be said of it.
static ota_event_t act_confirm(void)
{
    status_t status = ota_slot_confirm();
    if (status != STATUS_OK) {
        ota_note_error(OTA_ERROR_FLASH, (uint32_t)-status);
        return ota_slot_is_in_test() ? OTA_ON_EXPIRED : OTA_EVENTS;
    }
    g_ota.tests = g_ota.status.in_test = false;
    self_test_fault_after_confirm();
    return OTA_EVENTS;
}

static void act_reboot(void)
{
    if (g_ota.has_record && g_ota.record.kept == OTA_KEPT_STAGED && !g_ota.record.activated) {
        g_ota.record.activated = 1;
        (void)ota_save_record();
    }
    if (g_ota.status.job[0] != '\0') {
        ota_cloud_flush(g_ota.packet, FLUSH_MS);
    }
    vTaskDelay(LAST_WORDS_TICKS);
    platform_reset();
}

// ---- reports -----------------------------------------------------------------------------------

static void act_send_report(void)
{
    g_ota.report.expected = g_ota.job_version;
    (void)ota_cloud_report(g_ota.status.job, &g_ota.report, g_ota.token, 1, &g_ota.packet);
    ota_wait(ota_task_settings()->wait_ms);
}

static void act_report(ota_report_kind_t kind)
{
    g_ota.report = (ota_report_t){
        .kind = kind,
        .version = g_ota.has_record ? g_ota.record.to_version : 0u,
        .error = (uint32_t)g_ota.status.error,
        .sub = g_ota.status.sub,
    };
    act_send_report();
}

static void act_reports(uint32_t actions)
{
    static const struct {
        uint32_t action;
        ota_report_kind_t kind;
    } s_rows[] = {
        {OTA_DO_READY, OTA_REPORT_READY},      {OTA_DO_ACTIVE, OTA_REPORT_ACTIVE},
        {OTA_DO_SUCCEED, OTA_REPORT_ACCEPTED}, {OTA_DO_FAIL, OTA_REPORT_FAILED},
        {OTA_DO_REJECT, OTA_REPORT_REJECTED},  {OTA_DO_ABORT, OTA_REPORT_ABORTED},
    };
    for (size_t i = 0; i < sizeof s_rows / sizeof s_rows[0]; i++) {
        if ((actions & s_rows[i].action) != 0u) {
            act_report(s_rows[i].kind);
        }
    }
    if ((actions & OTA_DO_REPEAT) != 0u) {
        act_send_report();
    }
}

static void act_ask(void)
{
    (void)ota_cloud_ask(); // what is not sent is not answered
    ota_wait(ota_task_settings()->wait_ms);
}

ota_event_t ota_act(uint32_t actions)
{
    ota_event_t next = OTA_EVENTS;
    if ((actions & OTA_DO_UNMARK) != 0u) { // before the record goes that names the slot
        (void)ota_slot_unmark(g_ota.record.slot);
    }
    if ((actions & OTA_DO_FORGET) != 0u) {
        act_forget();
    }
    if ((actions & OTA_DO_TAKE) != 0u) {
        next = act_take();
    }
    if ((actions & OTA_DO_SAVE) != 0u) {
        (void)ota_save_record();
    }
    if ((actions & OTA_DO_VERIFY) != 0u) {
        next = act_verify();
    }
    if ((actions & OTA_DO_MARK) != 0u) {
        next = act_mark();
    }
    if ((actions & OTA_DO_CONFIRM) != 0u) {
        next = act_confirm();
    }
    if (next == OTA_EVENTS) {
        act_reports(actions);
    }
    if ((actions & OTA_DO_ASK) != 0u) {
        act_ask();
    }
    if ((actions & OTA_DO_REQUEST) != 0u && next == OTA_EVENTS) {
        next = ota_receive_request();
    }
    if ((actions & OTA_DO_REBOOT) != 0u) {
        act_reboot();
    }
    return next;
}
