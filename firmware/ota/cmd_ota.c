// SPDX-License-Identifier: MIT
// Commands of the agent.
#include "commands_table.h"
#include "console.h"
#include "mqtt_task.h"
#include "ota_slot.h"
#include "ota_task.h"
#include "slots.h"

static void ota_reply(reply_t *reply, status_t status, const char *message)
{
    if (status == STATUS_OK) {
        reply_finish(reply);
    } else {
        reply_error(reply, status_word(status), message);
    }
}

void command_ota_start(const command_call_t *call, reply_t *reply)
{
    mqtt_task_prepare();
    status_t status = ota_task_start(call->values[ARG_OTA_START_THING].text,
                                     (uint32_t)call->values[ARG_OTA_START_MS].number);
    ota_reply(reply, status, status == STATUS_VALUE ? "thing" : "");
}

void command_ota_status(const command_call_t *call, reply_t *reply)
{
    ota_status_t status = ota_task_status();
    ota_cloud_counts_t counts = ota_cloud_counts();
    char version[OTA_VERSION_TEXT_BYTES];
    (void)call;
    ota_version_text(ota_slot_running_version(), version);
    line_t *line = reply_ok(reply);
    line_add_text(line, "state", ota_state_word(status.state));
    line_add_text(line, "job", status.job);
    line_add_text(line, "slot", slot_name((int)status.slot));
    line_add_text(line, "running", slot_name((int)ota_slot_running()));
    line_add_text(line, "version", version);
    line_add_u32(line, "test", status.in_test ? 1 : 0);
    line_add_u32(line, "got", status.got);
    line_add_u32(line, "total", status.total);
    line_add_u32(line, "resumed", status.resumed);
    line_add_u32(line, "requests", status.requests);
    line_add_u32(line, "bad", status.bad);
    line_add_u32(line, "duplicates", status.duplicates);
    line_add_u32(line, "malformed", counts.malformed);
    line_add_u32(line, "dropped", counts.dropped);
    line_add_text(line, "error", ota_error_word(status.error));
    line_add_u32(line, "sub", status.sub);
    reply_send(reply);
}

static void ota_wish(reply_t *reply, ota_event_t event)
{
    ota_reply(reply, ota_task_wish(event), "not in this state");
}

void command_ota_suspend(const command_call_t *call, reply_t *reply)
{
    (void)call;
    ota_wish(reply, OTA_ON_SUSPEND);
}

void command_ota_resume(const command_call_t *call, reply_t *reply)
{
    (void)call;
    ota_wish(reply, OTA_ON_RESUME);
}

void command_ota_cancel(const command_call_t *call, reply_t *reply)
{
    (void)call;
    ota_wish(reply, OTA_ON_CANCEL);
}

void command_ota_activate(const command_call_t *call, reply_t *reply)
{
    (void)call;
    ota_wish(reply, OTA_ON_ACTIVATE);
}

void command_ota_confirm(const command_call_t *call, reply_t *reply)
{
    (void)call;
    if (!ota_task_status().in_test) {
        reply_error(reply, status_word(STATUS_RANGE), "no image is being tried");
        return;
    }
    ota_wish(reply, OTA_ON_CONFIRM);
}

void command_ota_reject(const command_call_t *call, reply_t *reply)
{
    (void)call;
    if (!ota_task_status().in_test) {
        reply_error(reply, status_word(STATUS_RANGE), "no image is being tried");
        return;
    }
    ota_wish(reply, OTA_ON_REFUSE);
}

// ---- settings ----------------------------------------------------------------------------------

static void ota_set(uint32_t *setting, const argument_value_t *value)
{
    if (value->present) {
        *setting = (uint32_t)value->number;
    }
}

static void ota_reply_settings(const ota_settings_t *settings, reply_t *reply)
{
    line_t *line = reply_ok(reply);
    line_add_u32(line, "block", settings->block_bytes);
    line_add_u32(line, "blocks", settings->request_blocks);
    line_add_u32(line, "wait_ms", settings->wait_ms);
    line_add_u32(line, "tries", settings->tries);
    line_add_u32(line, "test_ms", settings->test_ms);
    line_add_text(line, "encoding", settings->cbor ? "cbor" : "json");
    line_add_u32(line, "automatic", settings->automatic ? 1 : 0);
    reply_send(reply);
}

void command_ota_settings(const command_call_t *call, reply_t *reply)
{
    const argument_value_t *values = call->values;
    ota_settings_t *settings = ota_task_settings();
    if (values[ARG_OTA_SETTINGS_BLOCK].number % TRAILER_UNIT != 0) {
        reply_error(reply, status_word(STATUS_VALUE), "block");
        return;
    }
    ota_set(&settings->block_bytes, &values[ARG_OTA_SETTINGS_BLOCK]);
    ota_set(&settings->request_blocks, &values[ARG_OTA_SETTINGS_BLOCKS]);
    ota_set(&settings->wait_ms, &values[ARG_OTA_SETTINGS_WAIT_MS]);
    ota_set(&settings->tries, &values[ARG_OTA_SETTINGS_TRIES]);
    if (values[ARG_OTA_SETTINGS_TEST_MS].present) {
        ota_task_set_test_ms((uint32_t)values[ARG_OTA_SETTINGS_TEST_MS].number);
    }
    if (values[ARG_OTA_SETTINGS_ENCODING].present) {
        settings->cbor = values[ARG_OTA_SETTINGS_ENCODING].text[0] == 'c';
    }
    if (values[ARG_OTA_SETTINGS_AUTOMATIC].present) {
        settings->automatic = values[ARG_OTA_SETTINGS_AUTOMATIC].number != 0;
    }
    ota_reply_settings(settings, reply);
}
