// SPDX-License-Identifier: MIT
// Commands of the MQTT client: settings, connection, state.
#include "commands_table.h"
#include "console.h"
#include "mqtt_box.h"
#include "mqtt_task.h"
#include "wipe.h"

#include <string.h>

// Copies an argument's text; false if it does not fit.
static bool mqtt_copy(char *to, size_t size, const argument_value_t *value)
{
    size_t length = strlen(value->text);
    if (length >= size) {
        return false;
    }
    memcpy(to, value->text, length + 1u);
    return true;
}

static void mqtt_refuse(reply_t *reply, status_t status, const char *message)
{
    reply_error(reply, status_word(status), message);
}

static bool mqtt_is_yes(const argument_value_t *value, bool otherwise)
{
    return value->present ? value->number != 0 : otherwise;
}

// The client, made if need be, if it is idle; else NULL, and the reply says so.
static mqtt_client_t *mqtt_idle_client(reply_t *reply)
{
    mqtt_task_prepare();
    mqtt_client_t *client = mqtt_task_client();
    if (client->phase != MQTT_IDLE) {
        mqtt_refuse(reply, STATUS_RANGE, "the client is not idle");
        return NULL;
    }
    return client;
}

// ---- settings ----------------------------------------------------------------------------------

void command_mqtt_login(const command_call_t *call, reply_t *reply)
{
    mqtt_settings_t *settings = mqtt_task_settings();
    if (mqtt_idle_client(reply) == NULL) {
        return;
    }
    const argument_value_t *values = call->values;
    settings->resume = values[ARG_MQTT_LOGIN_RESUME].number != 0;
    wipe(settings->user, sizeof settings->user); // also behind a shorter one
    wipe(settings->password, sizeof settings->password);
    bool fits =
        mqtt_copy(settings->user, MQTT_SECRET_BYTES, &values[ARG_MQTT_LOGIN_USER]) &&
        mqtt_copy(settings->password, MQTT_SECRET_BYTES, &values[ARG_MQTT_LOGIN_PASSWORD]) &&
        mqtt_copy(settings->alpn, MQTT_SECRET_BYTES, &values[ARG_MQTT_LOGIN_ALPN]) &&
        mqtt_copy(settings->server_name, MQTT_HOST_BYTES, &values[ARG_MQTT_LOGIN_NAME]);
    if (!fits) {
        mqtt_refuse(reply, STATUS_LONG, "an argument");
    }
}

void command_mqtt_will(const command_call_t *call, reply_t *reply)
{
    mqtt_settings_t *settings = mqtt_task_settings();
    const argument_value_t *values = call->values;
    if (mqtt_idle_client(reply) == NULL) {
        return;
    }
    settings->will_qos = (uint8_t)values[ARG_MQTT_WILL_QOS].number;
    settings->will_retain = values[ARG_MQTT_WILL_RETAIN].number != 0;
    if (!mqtt_copy(settings->will_topic, MQTT_WILL_BYTES, &values[ARG_MQTT_WILL_TOPIC]) ||
        !mqtt_copy(settings->will_payload, MQTT_WILL_BYTES, &values[ARG_MQTT_WILL_TEXT])) {
        settings->will_topic[0] = '\0';
        mqtt_refuse(reply, STATUS_LONG, "an argument");
    }
}

static mqtt_jitter_t mqtt_jitter(const argument_value_t *value)
{
    return strcmp(value->text, "none") == 0    ? MQTT_JITTER_NONE
           : strcmp(value->text, "equal") == 0 ? MQTT_JITTER_EQUAL
                                               : MQTT_JITTER_FULL;
}

static void mqtt_set(uint32_t *number, const argument_value_t *value)
{
    if (value->present) {
        *number = (uint32_t)value->number;
    }
}

void command_mqtt_retry(const command_call_t *call, reply_t *reply)
{
    static const char *const s_words[] = {"none", "equal", "full"};
    mqtt_task_prepare();
    mqtt_port_lock();
    mqtt_retry_t *retry = &mqtt_task_client()->retry;
    mqtt_set(&retry->base_ms, &call->values[ARG_MQTT_RETRY_BASE_MS]);
    mqtt_set(&retry->cap_ms, &call->values[ARG_MQTT_RETRY_CAP_MS]);
    mqtt_set(&retry->attempts, &call->values[ARG_MQTT_RETRY_ATTEMPTS]);
    mqtt_set(&retry->stable_ms, &call->values[ARG_MQTT_RETRY_STABLE_MS]);
    if (call->values[ARG_MQTT_RETRY_JITTER].present) {
        retry->jitter = mqtt_jitter(&call->values[ARG_MQTT_RETRY_JITTER]);
    }
    mqtt_retry_t now = *retry;
    mqtt_port_unlock();
    line_t *line = reply_ok(reply);
    line_add_u32(line, "base_ms", now.base_ms);
    line_add_u32(line, "cap_ms", now.cap_ms);
    line_add_u32(line, "attempts", now.attempts);
    line_add_u32(line, "stable_ms", now.stable_ms);
    line_add_text(line, "jitter", s_words[now.jitter]);
    reply_send(reply);
}

void command_mqtt_timing(const command_call_t *call, reply_t *reply)
{
    mqtt_task_prepare();
    mqtt_port_lock();
    mqtt_timing_t *timing = &mqtt_task_client()->session.timing;
    mqtt_set(&timing->connack_ms, &call->values[ARG_MQTT_TIMING_CONNACK_MS]);
    mqtt_set(&timing->ack_ms, &call->values[ARG_MQTT_TIMING_ACK_MS]);
    mqtt_set(&timing->pingresp_ms, &call->values[ARG_MQTT_TIMING_PINGRESP_MS]);
    mqtt_set(&timing->resends, &call->values[ARG_MQTT_TIMING_RESENDS]);
    mqtt_timing_t now = *timing;
    mqtt_port_unlock();
    line_t *line = reply_ok(reply);
    line_add_u32(line, "connack_ms", now.connack_ms);
    line_add_u32(line, "ack_ms", now.ack_ms);
    line_add_u32(line, "pingresp_ms", now.pingresp_ms);
    line_add_u32(line, "resends", now.resends);
    reply_send(reply);
}

// ---- connection --------------------------------------------------------------------------------

static bool mqtt_take_settings(const argument_value_t *values)
{
    mqtt_settings_t *settings = mqtt_task_settings();
    settings->port = (uint16_t)values[ARG_MQTT_CONNECT_PORT].number;
    settings->tls = values[ARG_MQTT_CONNECT_TLS].number != 0;
    settings->clean = mqtt_is_yes(&values[ARG_MQTT_CONNECT_CLEAN], true);
    settings->reconnects = mqtt_is_yes(&values[ARG_MQTT_CONNECT_RECONNECT], false);
    settings->keep_alive_s = (uint16_t)values[ARG_MQTT_CONNECT_KEEPALIVE].number;
    return mqtt_copy(settings->host, MQTT_HOST_BYTES, &values[ARG_MQTT_CONNECT_HOST]) &&
           mqtt_copy(settings->client, MQTT_NAME_BYTES, &values[ARG_MQTT_CONNECT_CLIENT]);
}

static const char *mqtt_why(const mqtt_client_t *client)
{
    bool opening = client->session.fault == MQTT_FAULT_OPEN && mqtt_task_fault()[0] != '\0';
    return opening ? mqtt_task_fault() : mqtt_fault_word(client->session.fault);
}

void command_mqtt_connect(const command_call_t *call, reply_t *reply)
{
    const argument_value_t *values = call->values;
    mqtt_client_t *client = mqtt_idle_client(reply);
    if (client == NULL) {
        return;
    }
    if (!mqtt_take_settings(values)) {
        mqtt_refuse(reply, STATUS_LONG, "host or client");
        return;
    }
    uint32_t wait_ms = (uint32_t)values[ARG_MQTT_CONNECT_MS].number;
    status_t status = mqtt_task_connect(wait_ms);
    bool later = status == STATUS_TIMEOUT && client->wanted && wait_ms == 0u;
    if (status != STATUS_OK && !later) {
        mqtt_refuse(reply, status, mqtt_why(client));
        return;
    }
    line_t *line = reply_ok(reply);
    line_add_text(line, "state", mqtt_client_word(client));
    line_add_u32(line, "session", client->session.resumed ? 1 : 0);
    line_add_u32(line, "attempts", client->attempts);
    reply_send(reply);
}

void command_mqtt_disconnect(const command_call_t *call, reply_t *reply)
{
    mqtt_task_prepare();
    status_t status = mqtt_task_disconnect((uint32_t)call->values[ARG_MQTT_DISCONNECT_MS].number);
    if (status != STATUS_OK) {
        mqtt_refuse(reply, status, "ms");
    }
}

static mqtt_cut_t mqtt_cut_of(const char *where)
{
    return strcmp(where, "puback") == 0    ? MQTT_CUT_PUBACK
           : strcmp(where, "publish") == 0 ? MQTT_CUT_PUBLISH
           : strcmp(where, "message") == 0 ? MQTT_CUT_MESSAGE
                                           : MQTT_CUT_NONE;
}

void command_mqtt_cut(const command_call_t *call, reply_t *reply)
{
    const char *where = call->values[ARG_MQTT_CUT_WHERE].text;
    mqtt_task_prepare();
    (void)reply;
    mqtt_port_lock();
    mqtt_session_t *session = &mqtt_task_client()->session;
    session->cut = mqtt_cut_of(where);
    if (strcmp(where, "now") == 0) {
        mqtt_session_fail(session, MQTT_FAULT_CUT);
    }
    mqtt_port_unlock();
}

void command_mqtt_forget(const command_call_t *call, reply_t *reply)
{
    (void)call;
    mqtt_client_t *client = mqtt_idle_client(reply);
    if (client != NULL) {
        mqtt_port_lock();
        mqtt_session_forget(&client->session);
        mqtt_box_forget();
        mqtt_port_unlock();
    }
}

// ---- state -------------------------------------------------------------------------------------

static uint32_t mqtt_in_flight(const mqtt_session_t *session)
{
    uint32_t count = 0;
    for (size_t i = 0; i < MQTT_IN_FLIGHT; i++) {
        count += session->slots[i].awaits != 0 ? 1u : 0u;
    }
    return count;
}

void command_mqtt_status(const command_call_t *call, reply_t *reply)
{
    (void)call;
    mqtt_task_prepare();
    line_t *line = reply_ok(reply);
    mqtt_port_lock();
    const mqtt_client_t *client = mqtt_task_client();
    line_add_text(line, "state", mqtt_client_word(client));
    line_add_u32(line, "session", client->session.resumed ? 1 : 0);
    line_add_text(line, "fault", mqtt_fault_word(client->session.fault));
    line_add_u32(line, "refusal", client->session.refusal);
    line_add_u32(line, "attempts", client->attempts);
    line_add_u32(line, "wait_ms", client->wait_ms);
    line_add_u32(line, "gave_up", client->gave_up ? 1 : 0);
    line_add_u32(line, "in_flight", mqtt_in_flight(&client->session));
    line_add_text(line, "why", mqtt_why(client));
    mqtt_port_unlock();
    reply_send(reply);
}

void command_mqtt_counters(const command_call_t *call, reply_t *reply)
{
    (void)call;
    mqtt_task_prepare();
    mqtt_port_lock();
    mqtt_counts_t counts = mqtt_task_client()->session.counts;
    mqtt_port_unlock();
    line_t *line = reply_ok(reply);
    line_add_u32(line, "connects", counts.connects);
    line_add_u32(line, "accepted", counts.accepted);
    line_add_u32(line, "resumed", counts.resumed);
    line_add_u32(line, "published", counts.published);
    line_add_u32(line, "completed", counts.completed);
    line_add_u32(line, "resent", counts.resent);
    line_add_u32(line, "received", counts.received);
    line_add_u32(line, "duplicates", counts.duplicates);
    line_add_u32(line, "too_large", counts.too_large);
    line_add_u32(line, "pings", counts.pings);
    line_add_u32(line, "pongs", counts.pongs);
    line_add_u32(line, "dropped", mqtt_box_dropped());
    reply_send(reply);
}
