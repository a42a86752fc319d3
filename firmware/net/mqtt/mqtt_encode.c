// SPDX-License-Identifier: MIT
#include "mqtt_codec.h"

#include <string.h>

enum {
    REMAINING_MAX = 268435455, // section 2.2.3
    TEXT_MAX_BYTES = 65535,
    CONNECT_CLEAN = 0x02,
    CONNECT_WILL = 0x04,
    CONNECT_WILL_QOS = 3, // its place
    CONNECT_WILL_RETAIN = 0x20,
    CONNECT_PASSWORD = 0x40,
    CONNECT_USER = 0x80,
};

// What is written; `length` goes on counting behind the end.
typedef struct {
    uint8_t *bytes;
    size_t size;
    size_t length;
} encode_out_t;

static void encode_byte(encode_out_t *out, uint8_t byte)
{
    if (out->length < out->size) {
        out->bytes[out->length] = byte;
    }
    out->length++;
}

static void encode_u16(encode_out_t *out, uint16_t value)
{
    encode_byte(out, (uint8_t)(value >> 8));
    encode_byte(out, (uint8_t)value);
}

static void encode_text(encode_out_t *out, mqtt_text_t text)
{
    encode_u16(out, (uint16_t)text.length);
    for (size_t i = 0; i < text.length; i++) {
        encode_byte(out, text.bytes[i]);
    }
}

static void encode_header(encode_out_t *out, mqtt_type_t type, uint8_t flags, size_t remaining)
{
    encode_byte(out, (uint8_t)((unsigned)type << 4 | flags));
    do {
        uint8_t more = remaining > 127u ? 0x80u : 0u;
        encode_byte(out, (uint8_t)(remaining & 0x7Fu) | more);
        remaining >>= 7;
    } while (remaining > 0u);
}

static int32_t encode_end(const encode_out_t *out)
{
    return out->length <= out->size ? (int32_t)out->length : STATUS_SPACE;
}

// ---- CONNECT -----------------------------------------------------------------------------------

static bool encode_connect_is_good(const mqtt_connect_t *connect)
{
    bool named = connect->client.length > 0u || connect->clean; // section 3.1.3.1
    bool texts = connect->client.length <= TEXT_MAX_BYTES && mqtt_text_is_utf8(connect->client) &&
                 connect->user.length <= TEXT_MAX_BYTES &&
                 connect->password.length <= TEXT_MAX_BYTES;
    bool user = connect->user.bytes != NULL || connect->password.bytes == NULL;
    bool will =
        !connect->has_will || (connect->will_qos <= 2u && mqtt_topic_is_good(connect->will_topic) &&
                               connect->will_payload.length <= TEXT_MAX_BYTES);
    return named && texts && user && will;
}

static uint8_t encode_connect_flags(const mqtt_connect_t *connect)
{
    unsigned flags = connect->clean ? CONNECT_CLEAN : 0u;
    if (connect->has_will) {
        flags |= CONNECT_WILL | (unsigned)connect->will_qos << CONNECT_WILL_QOS |
                 (connect->will_retain ? CONNECT_WILL_RETAIN : 0u);
    }
    flags |= connect->user.bytes != NULL ? CONNECT_USER : 0u;
    flags |= connect->password.bytes != NULL ? CONNECT_PASSWORD : 0u;
    return (uint8_t)flags;
}

static size_t encode_connect_length(const mqtt_connect_t *connect)
{
    size_t length = 10u + 2u + connect->client.length;
    length +=
        connect->has_will ? 4u + connect->will_topic.length + connect->will_payload.length : 0;
    length += connect->user.bytes != NULL ? 2u + connect->user.length : 0u;
    return length + (connect->password.bytes != NULL ? 2u + connect->password.length : 0u);
}

int32_t mqtt_encode_connect(const mqtt_connect_t *connect, uint8_t *out, size_t size)
{
    encode_out_t to = {out, size, 0};
    if (!encode_connect_is_good(connect)) {
        return STATUS_VALUE;
    }
    encode_header(&to, MQTT_CONNECT, 0, encode_connect_length(connect));
    encode_text(&to, mqtt_text("MQTT"));
    encode_byte(&to, 4); // protocol level of 3.1.1
    encode_byte(&to, encode_connect_flags(connect));
    encode_u16(&to, connect->keep_alive_s);
    encode_text(&to, connect->client);
    if (connect->has_will) {
        encode_text(&to, connect->will_topic);
        encode_text(&to, connect->will_payload);
    }
    if (connect->user.bytes != NULL) {
        encode_text(&to, connect->user);
    }
    if (connect->password.bytes != NULL) {
        encode_text(&to, connect->password);
    }
    return encode_end(&to);
}

// ---- the others --------------------------------------------------------------------------------

int32_t mqtt_encode_publish(const mqtt_publish_t *publish, uint8_t *out, size_t size)
{
    encode_out_t to = {out, size, 0};
    bool numbered = publish->qos > 0u;
    size_t before = 2u + publish->topic.length + (numbered ? 2u : 0u);
    if (!mqtt_topic_is_good(publish->topic) || publish->qos > 2u ||
        (numbered && publish->id == 0u) || (publish->dup && !numbered) ||
        publish->payload.length > REMAINING_MAX - before) {
        return STATUS_VALUE;
    }
    unsigned flags = (publish->dup ? MQTT_FLAG_DUP : 0u) | (unsigned)publish->qos << 1 |
                     (publish->retain ? 1u : 0u);
    encode_header(&to, MQTT_PUBLISH, (uint8_t)flags, before + publish->payload.length);
    encode_text(&to, publish->topic);
    if (numbered) {
        encode_u16(&to, publish->id);
    }
    return encode_end(&to);
}

static bool encode_topics_are_good(const mqtt_topic_t *topics, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!mqtt_filter_is_good(topics[i].filter) || topics[i].qos > 2u) {
            return false;
        }
    }
    return count > 0u && count <= MQTT_MAX_TOPICS;
}

int32_t mqtt_encode_topics(mqtt_type_t type, uint16_t id, const mqtt_topic_t *topics, size_t count,
                           uint8_t *out, size_t size)
{
    encode_out_t to = {out, size, 0};
    bool subscribe = type == MQTT_SUBSCRIBE;
    size_t length = 2;
    if (id == 0u || !encode_topics_are_good(topics, count) ||
        (!subscribe && type != MQTT_UNSUBSCRIBE)) {
        return STATUS_VALUE;
    }
    for (size_t i = 0; i < count; i++) {
        length += 2u + topics[i].filter.length + (subscribe ? 1u : 0u);
    }
    encode_header(&to, type, 2, length);
    encode_u16(&to, id);
    for (size_t i = 0; i < count; i++) {
        encode_text(&to, topics[i].filter);
        if (subscribe) {
            encode_byte(&to, topics[i].qos);
        }
    }
    return encode_end(&to);
}

int32_t mqtt_encode_ack(mqtt_type_t type, uint16_t id, uint8_t *out, size_t size)
{
    encode_out_t to = {out, size, 0};
    if (id == 0u || type < MQTT_PUBACK || type > MQTT_PUBCOMP) {
        return STATUS_VALUE;
    }
    encode_header(&to, type, type == MQTT_PUBREL ? 2 : 0, 2);
    encode_u16(&to, id);
    return encode_end(&to);
}

int32_t mqtt_encode_empty(mqtt_type_t type, uint8_t *out, size_t size)
{
    encode_out_t to = {out, size, 0};
    if (type != MQTT_PINGREQ && type != MQTT_DISCONNECT) {
        return STATUS_VALUE;
    }
    encode_header(&to, type, 0, 0);
    return encode_end(&to);
}
