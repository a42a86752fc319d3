// SPDX-License-Identifier: MIT
// What comes to a session: bytes become packets, packets become answers and messages.
#include "mqtt_session_parts.h"

#include <string.h>

static const mqtt_text_t s_nothing = {NULL, 0};

size_t mqtt_session_space(mqtt_session_t *session, uint8_t **at)
{
    *at = session->buffer + session->have;
    return session->buffer_size - session->have;
}

// ---- messages ----------------------------------------------------------------------------------

static uint16_t *incoming_find(mqtt_session_t *session, uint16_t id)
{
    for (size_t i = 0; i < MQTT_UNACKNOWLEDGED; i++) {
        if (session->unacknowledged[i] == id) {
            return &session->unacknowledged[i];
        }
    }
    return NULL;
}

static void incoming_forget(mqtt_session_t *session, uint16_t id)
{
    uint16_t *place = incoming_find(session, id);
    if (place != NULL) {
        *place = 0;
    }
}

// Whether this is new. QoS 1: known only if it is a repeat (DUP) of one that was never
// acknowledged. QoS 2: known until its PUBREL.
static bool incoming_is_new(mqtt_session_t *session, const mqtt_publish_t *message)
{
    if (message->qos == 0u) {
        return true;
    }
    bool known = incoming_find(session, message->id) != NULL;
    if (!known || (message->qos == 1u && !message->dup)) {
        uint16_t *place = known ? NULL : incoming_find(session, 0);
        if (place != NULL) {
            *place = message->id;
        }
        return true;
    }
    session->counts.duplicates++;
    return false;
}

// From the moment that a PUBACK may be on its way, whatever comes with its identifier is another
// message, also with DUP [MQTT-4.3.2-2]: if sending it failed, the server may have it all the same.
// Known is only what was certainly not acknowledged.
static void incoming_acknowledge(mqtt_session_t *session, const mqtt_publish_t *message)
{
    bool tries = session->link != MQTT_LINK_DOWN && session->cut != MQTT_CUT_PUBACK;
    if (message->qos == 1u) {
        (void)mqtt_session_write_ack(session, MQTT_PUBACK, message->id);
        if (tries) {
            incoming_forget(session, message->id);
        }
    } else if (message->qos == 2u) {
        (void)mqtt_session_write_ack(session, MQTT_PUBREC, message->id);
    }
}

static void incoming_message(mqtt_session_t *session, const mqtt_publish_t *message)
{
    if (session->cut == MQTT_CUT_MESSAGE) {
        session->cut = MQTT_CUT_NONE;
        mqtt_session_fail(session, MQTT_FAULT_CUT);
        return;
    }
    if (incoming_is_new(session, message)) {
        session->counts.received++;
        if (session->on_message != NULL) {
            session->on_message(session->owner, message);
        }
    }
    incoming_acknowledge(session, message);
}

// ---- packets -----------------------------------------------------------------------------------

static void incoming_connack(mqtt_session_t *session, bool session_present, uint8_t code)
{
    session->refusal = code;
    if (code != 0u) {
        mqtt_session_fail(session, MQTT_FAULT_REFUSED);
        return;
    }
    if (session_present && session->connect.clean) {
        mqtt_session_fail(session, MQTT_FAULT_MALFORMED);
        return;
    }
    session->link = MQTT_LINK_UP;
    session->up_since_ms = session->now_ms;
    session->resumed = session_present;
    session->counts.accepted++;
    session->counts.resumed += session_present ? 1u : 0u;
    if (!session_present) {
        memset(session->unacknowledged, 0, sizeof session->unacknowledged);
    }
    mqtt_outgoing_resume(session);
}

static status_t incoming_read_connack(mqtt_session_t *session, const uint8_t *body, size_t length)
{
    bool present = false;
    uint8_t code = 0;
    status_t status = mqtt_decode_connack(body, length, &present, &code);
    if (status == STATUS_OK) {
        incoming_connack(session, present, code);
    }
    return status;
}

static status_t incoming_read_answer(mqtt_session_t *session, mqtt_type_t type, const uint8_t *body,
                                     size_t length)
{
    uint16_t id = 0;
    status_t status = mqtt_decode_ack(body, length, &id);
    if (status == STATUS_OK && type == MQTT_PUBREL) {
        incoming_forget(session, id);
        (void)mqtt_session_write_ack(session, MQTT_PUBCOMP, id);
    } else if (status == STATUS_OK) {
        mqtt_outgoing_answered(session, type, id, s_nothing);
    }
    return status;
}

static status_t incoming_read_suback(mqtt_session_t *session, const uint8_t *body, size_t length)
{
    uint16_t id = 0;
    mqtt_text_t codes = s_nothing;
    status_t status = mqtt_decode_suback(body, length, &id, &codes);
    if (status == STATUS_OK) {
        mqtt_outgoing_answered(session, MQTT_SUBACK, id, codes);
    }
    return status;
}

static status_t incoming_read_publish(mqtt_session_t *session, const mqtt_header_t *header,
                                      const uint8_t *body)
{
    mqtt_publish_t message;
    status_t status = mqtt_decode_publish(header, body, header->length, &message);
    if (status == STATUS_OK) {
        incoming_message(session, &message);
    }
    return status;
}

static status_t incoming_packet(mqtt_session_t *session, const mqtt_header_t *header,
                                const uint8_t *body)
{
    bool first = session->link == MQTT_LINK_CONNECTING;
    if (first != (header->type == MQTT_CONNACK)) {
        return STATUS_SYNTAX;
    }
    switch (header->type) {
    case MQTT_CONNACK:
        return incoming_read_connack(session, body, header->length);
    case MQTT_PUBLISH:
        return incoming_read_publish(session, header, body);
    case MQTT_SUBACK:
        return incoming_read_suback(session, body, header->length);
    case MQTT_PINGRESP:
        session->counts.pongs += session->ping_waits ? 1u : 0u;
        session->ping_waits = false;
        return STATUS_OK;
    default:
        return incoming_read_answer(session, header->type, body, header->length);
    }
}

// ---- bytes -------------------------------------------------------------------------------------

// A message that the buffer cannot hold: its topic and identifier are read from what the full
// buffer holds, the rest is let by, and then it is acknowledged, or the server would send it for
// ever.
static status_t incoming_begin_skip(mqtt_session_t *session, const mqtt_header_t *header,
                                    size_t before)
{
    size_t have = session->have - before;
    if (header->type != MQTT_PUBLISH || mqtt_decode_publish(header, session->buffer + before, have,
                                                            &session->skipped) != STATUS_OK) {
        return STATUS_SYNTAX;
    }
    session->skip = header->length - (uint32_t)have;
    session->taken = session->have;
    session->counts.too_large++;
    return STATUS_OK;
}

static void incoming_skip(mqtt_session_t *session, size_t left)
{
    size_t count = left < session->skip ? left : session->skip;
    session->skip -= (uint32_t)count;
    session->taken += count;
    if (session->skip == 0u) {
        incoming_acknowledge(session, &session->skipped);
    }
}

// One step on the bytes that are there: 1 if it got on, 0 if more bytes are needed.
static int incoming_step(mqtt_session_t *session)
{
    mqtt_header_t header;
    const uint8_t *bytes = session->buffer + session->taken;
    size_t left = session->have - session->taken;
    if (session->skip > 0u && left > 0u) {
        incoming_skip(session, left);
        return 1;
    }
    int32_t before = mqtt_decode_header(bytes, left, &header);
    if (before <= 0) {
        return (int)before;
    }
    size_t whole = (size_t)before + header.length;
    if (whole > session->buffer_size && left == session->buffer_size) {
        status_t status = incoming_begin_skip(session, &header, (size_t)before);
        return status == STATUS_OK ? 1 : (int)status;
    }
    if (left < whole) {
        return 0;
    }
    session->taken += whole;
    status_t status = incoming_packet(session, &header, bytes + before);
    return status == STATUS_OK ? 1 : (int)status;
}

void mqtt_session_received(mqtt_session_t *session, size_t length, uint32_t now_ms)
{
    int more = 1;
    session->now_ms = session->last_heard_ms = now_ms;
    session->have += length;
    while (more > 0 && session->link != MQTT_LINK_DOWN) {
        more = incoming_step(session);
    }
    if (more < 0) {
        mqtt_session_fail(session, MQTT_FAULT_MALFORMED);
    }
    session->have -= session->taken;
    memmove(session->buffer, session->buffer + session->taken, session->have);
    session->taken = 0;
}
