// SPDX-License-Identifier: MIT
// The packets of MQTT 3.1.1 (OASIS standard, chapters 2 and 3) as a client writes and reads them.
// Pure: no state, no I/O, no memory of its own. Bounded: nothing is written behind `size` and
// nothing read behind `length`. What a server may not send is refused.
//
// Encoders return the count of bytes written, STATUS_SPACE if `size` is too small, STATUS_VALUE if
// an argument is not allowed. Decoders return STATUS_SYNTAX for what the standard forbids. Texts
// point into the caller's memory; they are not ended by NUL.
#ifndef MQTT_CODEC_H
#define MQTT_CODEC_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MQTT_MAX_TOPICS = 8,       // of one SUBSCRIBE or UNSUBSCRIBE, as AWS IoT Core allows
    MQTT_HEADER_BYTES = 5,     // a fixed header at its longest
    MQTT_ACK_BYTES = 4,        // PUBACK, PUBREC, PUBREL, PUBCOMP
    MQTT_SUBACK_FAILED = 0x80, // a return code of SUBACK: not subscribed
    MQTT_FLAG_DUP = 0x08,      // of the first byte of a PUBLISH
};

typedef enum {
    MQTT_CONNECT = 1,
    MQTT_CONNACK,
    MQTT_PUBLISH,
    MQTT_PUBACK,
    MQTT_PUBREC,
    MQTT_PUBREL,
    MQTT_PUBCOMP,
    MQTT_SUBSCRIBE,
    MQTT_SUBACK,
    MQTT_UNSUBSCRIBE,
    MQTT_UNSUBACK,
    MQTT_PINGREQ,
    MQTT_PINGRESP,
    MQTT_DISCONNECT,
} mqtt_type_t;

typedef struct {
    const uint8_t *bytes;
    size_t length;
} mqtt_text_t;

// A NUL-ended string as a text.
mqtt_text_t mqtt_text(const char *string);

// UTF-8 as section 1.5.3 wants it: well formed, no surrogates, no U+0000.
bool mqtt_text_is_utf8(mqtt_text_t text);

// A topic that can be published to: UTF-8, not empty, at most 65,535 bytes, no wildcard.
bool mqtt_topic_is_good(mqtt_text_t topic);

// A filter that can be subscribed to: '#' only as the last level, '+' only as a whole level.
bool mqtt_filter_is_good(mqtt_text_t filter);

typedef struct {
    mqtt_text_t client;
    uint16_t keep_alive_s; // 0: none
    bool clean;
    bool has_will;
    mqtt_text_t will_topic;
    mqtt_text_t will_payload;
    uint8_t will_qos;
    bool will_retain;
    mqtt_text_t user; // bytes NULL: none
    mqtt_text_t password;
} mqtt_connect_t;

typedef struct {
    mqtt_text_t topic;
    uint8_t qos;
    bool retain;
    bool dup;
    uint16_t id; // QoS 1 and 2
    mqtt_text_t payload;
} mqtt_publish_t;

typedef struct {
    mqtt_text_t filter;
    uint8_t qos; // of SUBSCRIBE; an UNSUBSCRIBE does not look at it
} mqtt_topic_t;

int32_t mqtt_encode_connect(const mqtt_connect_t *connect, uint8_t *out, size_t size);

// A PUBLISH up to its payload, of which only the length is looked at: the caller sends the bytes.
int32_t mqtt_encode_publish(const mqtt_publish_t *publish, uint8_t *out, size_t size);

// SUBSCRIBE or UNSUBSCRIBE of 1 to MQTT_MAX_TOPICS topics.
int32_t mqtt_encode_topics(mqtt_type_t type, uint16_t id, const mqtt_topic_t *topics, size_t count,
                           uint8_t *out, size_t size);

// PUBACK, PUBREC, PUBREL or PUBCOMP.
int32_t mqtt_encode_ack(mqtt_type_t type, uint16_t id, uint8_t *out, size_t size);

// PINGREQ or DISCONNECT.
int32_t mqtt_encode_empty(mqtt_type_t type, uint8_t *out, size_t size);

typedef struct {
    mqtt_type_t type;
    uint8_t flags;   // low four bits of the first byte
    uint32_t length; // of what follows the fixed header
} mqtt_header_t;

// Reads a fixed header. Returns its length, 0 when more bytes are needed, STATUS_SYNTAX for a type
// or flags that no server sends, or a length of more than four bytes.
int32_t mqtt_decode_header(const uint8_t *bytes, size_t length, mqtt_header_t *header);

// The decoders of what follows the header.
status_t mqtt_decode_connack(const uint8_t *body, size_t length, bool *session_present,
                             uint8_t *code);
status_t mqtt_decode_ack(const uint8_t *body, size_t length, uint16_t *id); // also UNSUBACK
// `codes` points into the body.
status_t mqtt_decode_suback(const uint8_t *body, size_t length, uint16_t *id, mqtt_text_t *codes);

// `length` may be less than header->length: then the payload is what there is of it, but topic and
// packet identifier must be whole.
status_t mqtt_decode_publish(const mqtt_header_t *header, const uint8_t *body, size_t length,
                             mqtt_publish_t *publish);

#endif
