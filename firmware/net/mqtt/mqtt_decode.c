// SPDX-License-Identifier: MIT
#include "mqtt_codec.h"

enum { LENGTH_BYTES = 4, CONNACK_CODES = 6 };

// Whether a server may send this type with these flags (section 2.2.2).
static bool decode_first_is_good(uint8_t first)
{
    unsigned flags = first & 0x0Fu;
    switch (first >> 4) {
    case MQTT_PUBLISH:
        return (flags & 0x06u) != 0x06u && ((flags & MQTT_FLAG_DUP) == 0u || (flags & 0x06u) != 0u);
    case MQTT_PUBREL:
        return flags == 2u;
    case MQTT_CONNACK:
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBCOMP:
    case MQTT_SUBACK:
    case MQTT_UNSUBACK:
    case MQTT_PINGRESP:
        return flags == 0u;
    default:
        return false;
    }
}

// All but these have a length that their type alone says.
static bool decode_length_is_good(const mqtt_header_t *header)
{
    switch (header->type) {
    case MQTT_PUBLISH:
    case MQTT_SUBACK:
        return header->length >= 3u;
    case MQTT_PINGRESP:
        return header->length == 0u;
    default:
        return header->length == 2u;
    }
}

int32_t mqtt_decode_header(const uint8_t *bytes, size_t length, mqtt_header_t *header)
{
    if (length == 0u) {
        return 0;
    }
    if (!decode_first_is_good(bytes[0])) {
        return STATUS_SYNTAX;
    }
    *header = (mqtt_header_t){(mqtt_type_t)(bytes[0] >> 4), bytes[0] & 0x0Fu, 0};
    for (size_t i = 0; i < LENGTH_BYTES; i++) {
        if (i + 1u >= length) {
            return 0;
        }
        uint8_t byte = bytes[i + 1u];
        header->length |= (uint32_t)(byte & 0x7Fu) << (7u * i);
        if ((byte & 0x80u) == 0u) {
            bool padded = byte == 0u && i > 0u; // more bytes than the length needs
            return padded || !decode_length_is_good(header) ? STATUS_SYNTAX : (int32_t)(i + 2u);
        }
    }
    return STATUS_SYNTAX;
}

static uint16_t decode_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

status_t mqtt_decode_connack(const uint8_t *body, size_t length, bool *session_present,
                             uint8_t *code)
{
    if (length != 2u || body[0] > 1u || body[1] >= CONNACK_CODES ||
        (body[0] == 1u && body[1] != 0u)) {
        return STATUS_SYNTAX;
    }
    *session_present = body[0] == 1u;
    *code = body[1];
    return STATUS_OK;
}

status_t mqtt_decode_ack(const uint8_t *body, size_t length, uint16_t *id)
{
    if (length != 2u || decode_u16(body) == 0u) {
        return STATUS_SYNTAX;
    }
    *id = decode_u16(body);
    return STATUS_OK;
}

status_t mqtt_decode_suback(const uint8_t *body, size_t length, uint16_t *id, mqtt_text_t *codes)
{
    if (length < 3u || decode_u16(body) == 0u) {
        return STATUS_SYNTAX;
    }
    for (size_t i = 2; i < length; i++) {
        if (body[i] > 2u && body[i] != MQTT_SUBACK_FAILED) {
            return STATUS_SYNTAX;
        }
    }
    *id = decode_u16(body);
    *codes = (mqtt_text_t){body + 2, length - 2u};
    return STATUS_OK;
}

status_t mqtt_decode_publish(const mqtt_header_t *header, const uint8_t *body, size_t length,
                             mqtt_publish_t *publish)
{
    uint8_t qos = (header->flags >> 1) & 3u;
    size_t topic = length >= 2u ? decode_u16(body) : 0u;
    size_t before = 2u + topic + (qos > 0u ? 2u : 0u);
    if (length < 2u || before > length || before > header->length) {
        return STATUS_SYNTAX;
    }
    *publish = (mqtt_publish_t){
        .topic = {body + 2, topic},
        .qos = qos,
        .retain = (header->flags & 1u) != 0u,
        .dup = (header->flags & MQTT_FLAG_DUP) != 0u,
        .id = qos > 0u ? decode_u16(body + 2 + topic) : 0u,
        .payload = {body + before, length - before},
    };
    bool numbered = qos == 0u || publish->id != 0u;
    return numbered && mqtt_topic_is_good(publish->topic) ? STATUS_OK : STATUS_SYNTAX;
}
