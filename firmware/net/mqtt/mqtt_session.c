// SPDX-License-Identifier: MIT
#include "mqtt_session_parts.h"

#include "wipe.h"

#include <string.h>

const char *mqtt_fault_word(mqtt_fault_t fault)
{
    static const char *const s_words[] = {
        [MQTT_FAULT_NONE] = "none",       [MQTT_FAULT_OPEN] = "open",
        [MQTT_FAULT_CLOSED] = "closed",   [MQTT_FAULT_MALFORMED] = "malformed",
        [MQTT_FAULT_REFUSED] = "refused", [MQTT_FAULT_CONNACK] = "connack",
        [MQTT_FAULT_ACK] = "ack",         [MQTT_FAULT_PINGRESP] = "pingresp",
        [MQTT_FAULT_CUT] = "cut",
    };
    return s_words[fault];
}

void mqtt_session_init(mqtt_session_t *session, uint8_t *buffer, size_t size)
{
    memset(session, 0, sizeof *session);
    session->buffer = buffer;
    session->buffer_size = size;
}

void mqtt_session_forget(mqtt_session_t *session)
{
    memset(session->slots, 0, sizeof session->slots);
    memset(session->subscriptions, 0, sizeof session->subscriptions);
    memset(session->unacknowledged, 0, sizeof session->unacknowledged);
    memset(session->results, 0, sizeof session->results);
}

void mqtt_session_fail(mqtt_session_t *session, mqtt_fault_t fault)
{
    if (session->link != MQTT_LINK_DOWN) {
        session->link = MQTT_LINK_DOWN;
        session->fault = fault;
    }
}

// The transport's send waits by itself: that it takes nothing means that its own time is over.
bool mqtt_session_write(mqtt_session_t *session, const uint8_t *bytes, size_t length)
{
    const TransportInterface_t *to = &session->transport;
    while (length > 0u && session->link != MQTT_LINK_DOWN) {
        int32_t taken = to->send(to->pNetworkContext, bytes, length);
        if (taken <= 0 || (size_t)taken > length) {
            mqtt_session_fail(session, MQTT_FAULT_CLOSED);
            break;
        }
        bytes += taken;
        length -= (size_t)taken;
    }
    session->last_sent_ms = session->now_ms;
    return session->link != MQTT_LINK_DOWN;
}

bool mqtt_session_write_ack(mqtt_session_t *session, mqtt_type_t type, uint16_t id)
{
    uint8_t packet[MQTT_ACK_BYTES];
    if (type == MQTT_PUBACK && session->cut == MQTT_CUT_PUBACK) {
        session->cut = MQTT_CUT_NONE;
        mqtt_session_fail(session, MQTT_FAULT_CUT);
        return false;
    }
    int32_t length = mqtt_encode_ack(type, id, packet, sizeof packet);
    return length > 0 && mqtt_session_write(session, packet, (size_t)length);
}

static void session_write_empty(mqtt_session_t *session, mqtt_type_t type)
{
    uint8_t packet[MQTT_HEADER_BYTES];
    int32_t length = mqtt_encode_empty(type, packet, sizeof packet);
    (void)mqtt_session_write(session, packet, (size_t)length);
}

status_t mqtt_session_begin(mqtt_session_t *session, TransportInterface_t transport,
                            uint32_t now_ms)
{
    int32_t length =
        mqtt_encode_connect(&session->connect, session->scratch, sizeof session->scratch);
    if (length < 0) {
        return (status_t)length;
    }
    session->transport = transport;
    session->now_ms = session->since_ms = session->last_heard_ms = now_ms;
    session->have = session->taken = 0;
    session->skip = 0;
    session->ping_waits = false;
    session->link = MQTT_LINK_CONNECTING;
    session->fault = MQTT_FAULT_NONE;
    session->refusal = 0;
    session->counts.connects++;
    for (size_t i = 0; i < MQTT_IN_FLIGHT; i++) {
        session->slots[i].sent = false;
    }
    (void)mqtt_session_write(session, session->scratch, (size_t)length);
    wipe(session->scratch, (size_t)length); // it may hold a password
    return STATUS_OK;
}

void mqtt_session_end(mqtt_session_t *session, uint32_t now_ms)
{
    session->now_ms = now_ms;
    if (session->link == MQTT_LINK_UP) {
        session_write_empty(session, MQTT_DISCONNECT);
    }
    session->link = MQTT_LINK_DOWN;
}

// ---- time --------------------------------------------------------------------------------------

static bool session_is_over(const mqtt_session_t *session, uint32_t since_ms, uint32_t limit_ms)
{
    return limit_ms != 0u && session->now_ms - since_ms >= limit_ms;
}

// A ping goes out a quarter of the keep-alive time early, at most a second, so that it is there in
// time; and where nothing was heard all that time, whatever was sent: a connection that is half
// open takes messages that need no answer for ever.
static bool session_wants_ping(const mqtt_session_t *session)
{
    uint32_t keep_alive_ms = session->connect.keep_alive_s * 1000u;
    uint32_t early = keep_alive_ms / 4u < 1000u ? keep_alive_ms / 4u : 1000u;
    return session_is_over(session, session->last_sent_ms, keep_alive_ms - early) ||
           session_is_over(session, session->last_heard_ms, keep_alive_ms);
}

static void session_poll_ping(mqtt_session_t *session)
{
    if (session->ping_waits) {
        if (session_is_over(session, session->ping_ms, session->timing.pingresp_ms)) {
            mqtt_session_fail(session, MQTT_FAULT_PINGRESP);
        }
    } else if (session_wants_ping(session)) {
        session->ping_waits = true;
        session->ping_ms = session->now_ms;
        session->counts.pings++;
        session_write_empty(session, MQTT_PINGREQ);
    }
}

void mqtt_session_poll(mqtt_session_t *session, uint32_t now_ms)
{
    session->now_ms = now_ms;
    if (session->link == MQTT_LINK_CONNECTING &&
        session_is_over(session, session->since_ms, session->timing.connack_ms)) {
        mqtt_session_fail(session, MQTT_FAULT_CONNACK);
    }
    if (session->link == MQTT_LINK_UP) {
        mqtt_outgoing_poll(session);
    }
    if (session->link == MQTT_LINK_UP) {
        session_poll_ping(session);
    }
}
