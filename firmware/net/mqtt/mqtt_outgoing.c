// SPDX-License-Identifier: MIT
// What a session sends and keeps until its answer comes.
#include "mqtt_session_parts.h"

#include "pattern.h"

#include <string.h>

enum { CHUNK_BYTES = 256 };

static mqtt_slot_t *outgoing_find(mqtt_session_t *session, mqtt_type_t awaits, uint16_t id)
{
    for (size_t i = 0; i < MQTT_IN_FLIGHT; i++) {
        mqtt_slot_t *slot = &session->slots[i];
        if (slot->awaits == awaits && slot->id == id) {
            return slot;
        }
    }
    return NULL;
}

static bool outgoing_id_is_used(const mqtt_session_t *session, uint16_t id)
{
    for (size_t i = 0; i < MQTT_IN_FLIGHT; i++) {
        if (session->slots[i].awaits != 0 && session->slots[i].id == id) {
            return true;
        }
    }
    return id == 0u;
}

static uint16_t outgoing_next_id(mqtt_session_t *session)
{
    do {
        session->last_id++;
    } while (outgoing_id_is_used(session, session->last_id));
    return session->last_id;
}

static mqtt_slot_t *outgoing_free_slot(mqtt_session_t *session)
{
    return outgoing_find(session, (mqtt_type_t)0, 0);
}

static void outgoing_free(mqtt_slot_t *slot)
{
    slot->awaits = (mqtt_type_t)0;
    slot->id = 0;
    slot->own = false;
}

// ---- sending -----------------------------------------------------------------------------------

static bool outgoing_write_pattern(mqtt_session_t *session, uint32_t length, uint32_t seed)
{
    uint8_t chunk[CHUNK_BYTES];
    bool good = true;
    for (uint32_t at = 0; good && at < length; at += CHUNK_BYTES) {
        size_t count = length - at < CHUNK_BYTES ? length - at : CHUNK_BYTES;
        pattern_fill(seed, at, chunk, count);
        good = mqtt_session_write(session, chunk, count);
    }
    return good;
}

static void outgoing_after_publish(mqtt_session_t *session)
{
    if (session->cut == MQTT_CUT_PUBLISH && session->link != MQTT_LINK_DOWN) {
        session->cut = MQTT_CUT_NONE;
        mqtt_session_fail(session, MQTT_FAULT_CUT);
    }
}

static bool outgoing_is_publish(const mqtt_slot_t *slot)
{
    return slot->packet[0] >> 4 == MQTT_PUBLISH;
}

static void outgoing_mark_dup(mqtt_slot_t *slot)
{
    if (outgoing_is_publish(slot)) {
        slot->packet[0] |= MQTT_FLAG_DUP;
    }
}

static void outgoing_send(mqtt_session_t *session, mqtt_slot_t *slot)
{
    if (slot->sent_before) {
        outgoing_mark_dup(slot);
        session->counts.resent++;
    }
    slot->sent = slot->sent_before = true;
    slot->sent_ms = session->now_ms;
    (void)(mqtt_session_write(session, slot->packet, slot->length) &&
           outgoing_write_pattern(session, slot->generated, slot->seed));
    if (outgoing_is_publish(slot)) {
        outgoing_after_publish(session);
    }
}

// Takes a slot whose packet is written already; sends it if there is a connection.
static int32_t outgoing_keep(mqtt_session_t *session, mqtt_slot_t *slot, mqtt_type_t awaits,
                             uint16_t id, size_t length)
{
    slot->awaits = awaits;
    slot->id = id;
    slot->length = length;
    slot->order = session->next_order++;
    slot->sent = slot->sent_before = slot->own = false;
    slot->tries = 0;
    if (session->link == MQTT_LINK_UP) {
        outgoing_send(session, slot);
    }
    return id;
}

// ---- publish, subscribe ------------------------------------------------------------------------

static int32_t outgoing_publish_once(mqtt_session_t *session, const mqtt_message_t *message,
                                     const mqtt_publish_t *publish)
{
    int32_t length = mqtt_encode_publish(publish, session->scratch, sizeof session->scratch);
    if (length < 0) {
        return length;
    }
    if (session->link != MQTT_LINK_UP) {
        return STATUS_CLOSED;
    }
    bool sent = mqtt_session_write(session, session->scratch, (size_t)length) &&
                (message->payload != NULL
                     ? mqtt_session_write(session, message->payload, message->length)
                     : outgoing_write_pattern(session, message->length, message->seed));
    outgoing_after_publish(session);
    return sent ? 0 : STATUS_CLOSED;
}

static int32_t outgoing_publish_kept(mqtt_session_t *session, const mqtt_message_t *message,
                                     mqtt_publish_t *publish)
{
    mqtt_slot_t *slot = outgoing_free_slot(session);
    if (slot == NULL) {
        return STATUS_SPACE;
    }
    publish->id = outgoing_next_id(session);
    int32_t length = mqtt_encode_publish(publish, slot->packet, sizeof slot->packet);
    size_t kept = message->payload != NULL ? message->length : 0u;
    if (length < 0 || kept > sizeof slot->packet - (size_t)length) {
        return length < 0 ? length : STATUS_SPACE;
    }
    if (kept > 0u) {
        memcpy(slot->packet + length, message->payload, kept);
    }
    slot->generated = message->payload != NULL ? 0u : message->length;
    slot->seed = message->seed;
    return outgoing_keep(session, slot, publish->qos == 1u ? MQTT_PUBACK : MQTT_PUBREC, publish->id,
                         (size_t)length + kept);
}

int32_t mqtt_session_publish(mqtt_session_t *session, const mqtt_message_t *message,
                             uint32_t now_ms)
{
    mqtt_publish_t publish = {
        .topic = message->topic,
        .qos = message->qos,
        .retain = message->retain,
        .payload = {message->payload, message->length},
    };
    session->now_ms = now_ms;
    int32_t id = message->qos == 0u ? outgoing_publish_once(session, message, &publish)
                                    : outgoing_publish_kept(session, message, &publish);
    session->counts.published += id >= 0 ? 1u : 0u;
    return id;
}

int32_t mqtt_session_topics(mqtt_session_t *session, mqtt_type_t type, const mqtt_topic_t *topics,
                            size_t count, uint32_t now_ms)
{
    mqtt_slot_t *slot = outgoing_free_slot(session);
    session->now_ms = now_ms;
    if (slot == NULL ||
        (type == MQTT_SUBSCRIBE && !mqtt_subscriptions_fit(session, topics, count))) {
        return STATUS_SPACE;
    }
    uint16_t id = outgoing_next_id(session);
    int32_t length = mqtt_encode_topics(type, id, topics, count, slot->packet, sizeof slot->packet);
    if (length < 0) {
        return length;
    }
    slot->generated = 0;
    mqtt_type_t awaits = type == MQTT_SUBSCRIBE ? MQTT_SUBACK : MQTT_UNSUBACK;
    return outgoing_keep(session, slot, awaits, id, (size_t)length);
}

// ---- answers -----------------------------------------------------------------------------------

static void outgoing_complete(mqtt_session_t *session, mqtt_slot_t *slot, mqtt_text_t codes)
{
    mqtt_result_t *result = &session->results[session->next_result++ % MQTT_RESULTS];
    *result = (mqtt_result_t){.id = slot->id, .count = (uint8_t)codes.length};
    if (codes.length > 0u) {
        memcpy(result->codes, codes.bytes, codes.length);
    }
    if (slot->awaits == MQTT_SUBACK || slot->awaits == MQTT_UNSUBACK) {
        mqtt_subscriptions_answered(session, slot->packet, slot->length, codes);
    }
    outgoing_free(slot);
    session->counts.completed++;
}

// A PUBREC: from now on PUBREL is what is sent again.
static void outgoing_release(mqtt_session_t *session, mqtt_slot_t *slot)
{
    slot->length =
        (size_t)mqtt_encode_ack(MQTT_PUBREL, slot->id, slot->packet, sizeof slot->packet);
    slot->generated = 0;
    slot->awaits = MQTT_PUBCOMP;
    slot->sent_before = false;
    slot->tries = 0;
    outgoing_send(session, slot);
}

void mqtt_outgoing_answered(mqtt_session_t *session, mqtt_type_t type, uint16_t id,
                            mqtt_text_t codes)
{
    mqtt_slot_t *slot = outgoing_find(session, type, id);
    if (slot != NULL && type == MQTT_PUBREC) {
        outgoing_release(session, slot);
    } else if (slot != NULL && codes.length <= MQTT_MAX_TOPICS) {
        outgoing_complete(session, slot, codes);
    } else if (type == MQTT_PUBREC) { // a repeat: the PUBREL got lost
        (void)mqtt_session_write_ack(session, MQTT_PUBREL, id);
    }
}

int mqtt_session_result(const mqtt_session_t *session, uint16_t id, mqtt_result_t *result)
{
    if (outgoing_id_is_used(session, id)) {
        return id == 0u ? STATUS_UNKNOWN : 0;
    }
    for (uint32_t back = 1; back <= MQTT_RESULTS; back++) {
        const mqtt_result_t *row = &session->results[(session->next_result - back) % MQTT_RESULTS];
        if (row->id == id) {
            *result = *row;
            return 1;
        }
    }
    return STATUS_UNKNOWN;
}

// ---- again -------------------------------------------------------------------------------------

// The server does not know the session: what is kept is new to it.
static void outgoing_restart(mqtt_session_t *session)
{
    for (size_t i = 0; i < MQTT_IN_FLIGHT; i++) {
        mqtt_slot_t *slot = &session->slots[i];
        slot->sent_before = false;
        if (slot->own) { // asked for anew, with all the others
            outgoing_free(slot);
        }
        if (slot->awaits != 0 && outgoing_is_publish(slot)) {
            slot->packet[0] &= (uint8_t)~MQTT_FLAG_DUP;
        }
        if (slot->awaits == MQTT_PUBCOMP) { // it had the message: nothing is left to be done
            outgoing_complete(session, slot, (mqtt_text_t){NULL, 0});
        }
    }
}

static bool outgoing_is_unsent(const mqtt_session_t *session, const mqtt_slot_t *slot)
{
    (void)session;
    return !slot->sent;
}

static bool outgoing_is_due(const mqtt_session_t *session, const mqtt_slot_t *slot)
{
    uint32_t ack_ms = session->timing.ack_ms;
    return slot->sent && ack_ms != 0u && session->now_ms - slot->sent_ms >= ack_ms;
}

// The oldest slot of those: what is sent again keeps its order (section 4.6).
static mqtt_slot_t *outgoing_oldest(mqtt_session_t *session,
                                    bool (*is_one)(const mqtt_session_t *, const mqtt_slot_t *))
{
    mqtt_slot_t *oldest = NULL;
    for (size_t i = 0; i < MQTT_IN_FLIGHT; i++) {
        mqtt_slot_t *slot = &session->slots[i];
        if (slot->awaits != 0 && is_one(session, slot) &&
            (oldest == NULL || (int32_t)(slot->order - oldest->order) < 0)) {
            oldest = slot;
        }
    }
    return oldest;
}

void mqtt_outgoing_resume(mqtt_session_t *session)
{
    mqtt_slot_t *slot;
    if (!session->resumed) {
        mqtt_subscriptions_lost(session);
        outgoing_restart(session);
    }
    while (session->link == MQTT_LINK_UP &&
           (slot = outgoing_oldest(session, outgoing_is_unsent)) != NULL) {
        slot->tries = 0;
        outgoing_send(session, slot);
    }
}

// Whether a PUBLISH of QoS 2 was repeated on this connection already. Brokers end a connection at
// the second repeat (mosquitto since its fix of CVE-2023-28366); the first may still be on its way.
static bool outgoing_is_enough(const mqtt_slot_t *slot)
{
    return outgoing_is_publish(slot) && slot->awaits == MQTT_PUBREC && slot->tries > 1u;
}

// A slot that is due: it is not any more afterwards, or the link is down.
static void outgoing_send_again(mqtt_session_t *session, mqtt_slot_t *slot)
{
    if (slot->tries >= session->timing.resends) {
        mqtt_session_fail(session, MQTT_FAULT_ACK);
        return;
    }
    slot->tries++;
    if (outgoing_is_enough(slot)) {
        slot->sent_ms = session->now_ms; // and is waited for on
    } else {
        outgoing_send(session, slot);
    }
}

static void outgoing_ask_again(mqtt_session_t *session, const mqtt_topic_t *topics, size_t count)
{
    int32_t id = mqtt_session_topics(session, MQTT_SUBSCRIBE, topics, count, session->now_ms);
    mqtt_slot_t *slot = id > 0 ? outgoing_find(session, MQTT_SUBACK, (uint16_t)id) : NULL;
    if (slot != NULL) {
        slot->own = true;
    }
}

void mqtt_outgoing_poll(mqtt_session_t *session)
{
    mqtt_topic_t topics[MQTT_MAX_TOPICS];
    mqtt_slot_t *slot;
    while (session->link == MQTT_LINK_UP &&
           (slot = outgoing_oldest(session, outgoing_is_due)) != NULL) {
        outgoing_send_again(session, slot);
    }
    if (session->link == MQTT_LINK_UP && outgoing_free_slot(session) != NULL) {
        size_t count = mqtt_subscriptions_wanted(session, topics);
        if (count > 0u) {
            outgoing_ask_again(session, topics, count);
        }
    }
}
