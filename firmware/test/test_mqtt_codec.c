// SPDX-License-Identifier: MIT
// MQTT packets: the bytes that the standard wants, and what of a server's is refused.
#include "host_units.h"
#include "mqtt_codec.h"

#include <stdlib.h>
#include <string.h>

// Whether `length` bytes were written and are those.
static bool is(const uint8_t *out, int32_t length, const char *bytes, size_t count)
{
    return length == (int32_t)count && memcmp(out, bytes, count) == 0;
}

#define IS(out, length, bytes) is((out), (length), (bytes), sizeof(bytes) - 1u)

static mqtt_text_t bytes_of(const char *bytes, size_t length)
{
    return (mqtt_text_t){(const uint8_t *)bytes, length};
}

// ---- texts -------------------------------------------------------------------------------------

typedef struct {
    const char *bytes;
    size_t length;
    bool utf8, topic, filter;
} text_row_t;

#define TEXT(bytes, ...)                                                                           \
    {                                                                                              \
        bytes, sizeof(bytes) - 1u, __VA_ARGS__                                                     \
    }

static const text_row_t s_texts[] = {
    TEXT("", true, false, false),
    TEXT("a/b", true, true, true),
    TEXT("/", true, true, true),
    TEXT("$aws/things/T/shadow", true, true, true),
    TEXT("+", true, false, true),
    TEXT("#", true, false, true),
    TEXT("a/#", true, false, true),
    TEXT("a/+/b", true, false, true),
    TEXT("+/+", true, false, true),
    TEXT("a#", true, false, false),
    TEXT("#/a", true, false, false),
    TEXT("a/#/b", true, false, false),
    TEXT("a+", true, false, false),
    TEXT("+a/b", true, false, false),
    TEXT("\xC3\xA4/\xE2\x82\xAC/\xF0\x9F\x98\x80", true, true, true),
    TEXT("a\0b", false, false, false),
    TEXT("\x80", false, false, false),
    TEXT("\xC0\xAF", false, false, false),     // overlong
    TEXT("\xE0\x80\xAF", false, false, false), // overlong
    TEXT("\xED\xA0\x80", false, false, false), // surrogate
    TEXT("\xF4\x90\x80\x80", false, false, false),
    TEXT("\xF8\x88\x80\x80", false, false, false),
    TEXT("\xE2\x82", false, false, false), // ends early
    TEXT("\xE2(\xA1", false, false, false),
};

static void test_texts(void)
{
    for (size_t i = 0; i < sizeof s_texts / sizeof s_texts[0]; i++) {
        const text_row_t *row = &s_texts[i];
        mqtt_text_t text = bytes_of(row->bytes, row->length);
        CHECK(mqtt_text_is_utf8(text) == row->utf8, row->bytes);
        CHECK(mqtt_topic_is_good(text) == row->topic, row->bytes);
        CHECK(mqtt_filter_is_good(text) == row->filter, row->bytes);
    }
}

// ---- encoders ----------------------------------------------------------------------------------

static mqtt_connect_t full_connect(void)
{
    return (mqtt_connect_t){
        .client = mqtt_text("dut"),
        .keep_alive_s = 300,
        .clean = true,
        .has_will = true,
        .will_topic = mqtt_text("w"),
        .will_payload = mqtt_text("gone"),
        .will_qos = 1,
        .will_retain = true,
        .user = mqtt_text("u"),
        .password = mqtt_text("pw"),
    };
}

static void test_encode_connect(void)
{
    uint8_t out[64];
    mqtt_connect_t connect = {.client = mqtt_text("dut"), .keep_alive_s = 5};
    int32_t length = mqtt_encode_connect(&connect, out, sizeof out);
    CHECK(IS(out, length, "\x10\x0F\0\4MQTT\4\0\0\5\0\3dut"), "shortest");
    connect = full_connect();
    length = mqtt_encode_connect(&connect, out, sizeof out);
    CHECK(IS(out, length, "\x10\x1F\0\4MQTT\4\xEE\x01\x2C\0\3dut\0\1w\0\4gone\0\1u\0\2pw"), "full");
    for (size_t size = 0; size < (size_t)length; size++) {
        uint8_t *exact = malloc(size + 1u); // the sanitizer sees a byte too many
        CHECK(mqtt_encode_connect(&connect, exact, size) == STATUS_SPACE, "too small");
        free(exact);
    }
    connect.will_topic = mqtt_text("w/#");
    CHECK(mqtt_encode_connect(&connect, out, sizeof out) == STATUS_VALUE, "will to a wildcard");
    connect = (mqtt_connect_t){.client = mqtt_text("")};
    CHECK(mqtt_encode_connect(&connect, out, sizeof out) == STATUS_VALUE, "no name, not clean");
    connect = (mqtt_connect_t){.client = mqtt_text("a"), .password = mqtt_text("p")};
    CHECK(mqtt_encode_connect(&connect, out, sizeof out) == STATUS_VALUE, "password, no user");
}

static void test_encode_publish(void)
{
    uint8_t out[64];
    mqtt_publish_t publish = {.topic = mqtt_text("a/b"), .payload = {NULL, 2}};
    CHECK(IS(out, mqtt_encode_publish(&publish, out, sizeof out), "\x30\x07\0\3a/b"), "QoS 0");
    publish.qos = 1;
    publish.retain = publish.dup = true;
    publish.id = 0x1234;
    CHECK(IS(out, mqtt_encode_publish(&publish, out, sizeof out), "\x3B\x09\0\3a/b\x12\x34"),
          "QoS 1");
    publish.payload.length = 256u * 1024u;
    CHECK(
        IS(out, mqtt_encode_publish(&publish, out, sizeof out), "\x3B\x87\x80\x10\0\3a/b\x12\x34"),
        "256 KiB");
    publish.payload.length = 268435456u - 7u;
    CHECK(mqtt_encode_publish(&publish, out, sizeof out) == STATUS_VALUE, "longer than a packet");
    publish.payload.length = 0;
    publish.id = 0;
    CHECK(mqtt_encode_publish(&publish, out, sizeof out) == STATUS_VALUE, "no identifier");
    publish.qos = 0;
    CHECK(mqtt_encode_publish(&publish, out, sizeof out) == STATUS_VALUE, "DUP of QoS 0");
    publish.dup = false;
    publish.topic = mqtt_text("a/+");
    CHECK(mqtt_encode_publish(&publish, out, sizeof out) == STATUS_VALUE, "wildcard");
}

static void test_encode_topics(void)
{
    uint8_t out[64];
    mqtt_topic_t topics[MQTT_MAX_TOPICS + 1] = {{mqtt_text("a"), 1}, {mqtt_text("b/#"), 0}};
    int32_t length = mqtt_encode_topics(MQTT_SUBSCRIBE, 7, topics, 2, out, sizeof out);
    CHECK(IS(out, length, "\x82\x0C\0\7\0\1a\1\0\3b/#\0"), "subscribe");
    length = mqtt_encode_topics(MQTT_UNSUBSCRIBE, 8, topics, 2, out, sizeof out);
    CHECK(IS(out, length, "\xA2\x0A\0\x08\0\1a\0\3b/#"), "unsubscribe");
    CHECK(mqtt_encode_topics(MQTT_SUBSCRIBE, 7, topics, 0, out, sizeof out) == STATUS_VALUE, "0");
    CHECK(mqtt_encode_topics(MQTT_SUBSCRIBE, 7, topics, 9, out, sizeof out) == STATUS_VALUE, "9");
    CHECK(mqtt_encode_topics(MQTT_SUBSCRIBE, 0, topics, 1, out, sizeof out) == STATUS_VALUE, "id");
    CHECK(mqtt_encode_topics(MQTT_PUBLISH, 1, topics, 1, out, sizeof out) == STATUS_VALUE, "type");
    CHECK(mqtt_encode_topics(MQTT_SUBSCRIBE, 7, topics, 2, out, 13) == STATUS_SPACE, "space");
    topics[0].qos = 3;
    CHECK(mqtt_encode_topics(MQTT_SUBSCRIBE, 7, topics, 1, out, sizeof out) == STATUS_VALUE, "QoS");
}

static void test_encode_short(void)
{
    uint8_t out[8];
    CHECK(IS(out, mqtt_encode_ack(MQTT_PUBACK, 0x102, out, 8), "\x40\x02\1\2"), "PUBACK");
    CHECK(IS(out, mqtt_encode_ack(MQTT_PUBREC, 1, out, 8), "\x50\x02\0\1"), "PUBREC");
    CHECK(IS(out, mqtt_encode_ack(MQTT_PUBREL, 1, out, 8), "\x62\x02\0\1"), "PUBREL");
    CHECK(IS(out, mqtt_encode_ack(MQTT_PUBCOMP, 1, out, 8), "\x70\x02\0\1"), "PUBCOMP");
    CHECK(mqtt_encode_ack(MQTT_PUBACK, 0, out, 8) == STATUS_VALUE, "identifier 0");
    CHECK(mqtt_encode_ack(MQTT_PINGREQ, 1, out, 8) == STATUS_VALUE, "no ack");
    CHECK(mqtt_encode_ack(MQTT_PUBACK, 1, out, 3) == STATUS_SPACE, "space");
    CHECK(IS(out, mqtt_encode_empty(MQTT_PINGREQ, out, 8), "\xC0\0"), "PINGREQ");
    CHECK(IS(out, mqtt_encode_empty(MQTT_DISCONNECT, out, 8), "\xE0\0"), "DISCONNECT");
    CHECK(mqtt_encode_empty(MQTT_PUBACK, out, 8) == STATUS_VALUE, "not empty");
    CHECK(mqtt_encode_empty(MQTT_PINGREQ, out, 1) == STATUS_SPACE, "space");
}

// ---- decoders ----------------------------------------------------------------------------------

typedef struct {
    const char *bytes;
    size_t length;
    int32_t header; // what mqtt_decode_header() returns
    int32_t body;   // STATUS_OK or STATUS_SYNTAX of the body's decoder
    const char *about;
} packet_row_t;

#define PACKET(bytes, ...)                                                                         \
    {                                                                                              \
        bytes, sizeof(bytes) - 1u, __VA_ARGS__                                                     \
    }

static const packet_row_t s_packets[] = {
    PACKET("\x20\x02\0\0", 2, 0, "CONNACK"),
    PACKET("\x20\x02\1\0", 2, 0, "session present"),
    PACKET("\x20\x02\0\5", 2, 0, "refused"),
    PACKET("\x20\x02\1\5", 2, STATUS_SYNTAX, "refused with a session"),
    PACKET("\x20\x02\2\0", 2, STATUS_SYNTAX, "reserved acknowledge flags"),
    PACKET("\x20\x02\0\6", 2, STATUS_SYNTAX, "reserved code"),
    PACKET("\x21\x02\0\0", STATUS_SYNTAX, 0, "flags of CONNACK"),
    PACKET("\x20\x03\0\0\0", STATUS_SYNTAX, 0, "length of CONNACK"),
    PACKET("\x40\x02\0\1", 2, 0, "PUBACK"),
    PACKET("\x40\x02\0\0", 2, STATUS_SYNTAX, "identifier 0"),
    PACKET("\x62\x02\0\1", 2, 0, "PUBREL"),
    PACKET("\x60\x02\0\1", STATUS_SYNTAX, 0, "flags of PUBREL"),
    PACKET("\x90\x03\0\1\0", 2, 0, "SUBACK"),
    PACKET("\x90\x04\0\1\2\x80", 2, 0, "SUBACK of two"),
    PACKET("\x90\x03\0\1\3", 2, STATUS_SYNTAX, "code of SUBACK"),
    PACKET("\x90\x02\0\1", STATUS_SYNTAX, 0, "SUBACK of none"),
    PACKET("\xB0\x02\0\1", 2, 0, "UNSUBACK"),
    PACKET("\xD0\x00", 2, 0, "PINGRESP"),
    PACKET("\xD0\x01\0", STATUS_SYNTAX, 0, "PINGRESP with a body"),
    PACKET("\x30\x04\0\1ax", 2, 0, "PUBLISH"),
    PACKET("\x30\x03\0\1a", 2, 0, "PUBLISH of nothing"),
    PACKET("\x30\x03\0\2a", 2, STATUS_SYNTAX, "topic longer than the packet"),
    PACKET("\x32\x04\0\1ax", 2, STATUS_SYNTAX, "QoS 1 without an identifier"),
    PACKET("\x32\x05\0\1a\0\0", 2, STATUS_SYNTAX, "QoS 1 with identifier 0"),
    PACKET("\x32\x05\0\1a\0\1", 2, 0, "QoS 1"),
    PACKET("\x36\x05\0\1a\0\1", STATUS_SYNTAX, 0, "QoS 3"),
    PACKET("\x38\x04\0\1ax", STATUS_SYNTAX, 0, "DUP of QoS 0"),
    PACKET("\x30\x03\0\1#", 2, STATUS_SYNTAX, "wildcard in a topic"),
    PACKET("\x30\x03\0\1\xFF", 2, STATUS_SYNTAX, "topic that is no UTF-8"),
    PACKET("\x30\x02\0\0", STATUS_SYNTAX, 0, "PUBLISH of two bytes"),
    PACKET("\x30\x03\0\0x", 2, STATUS_SYNTAX, "empty topic"),
    PACKET("\x10\x00", STATUS_SYNTAX, 0, "CONNECT from a server"),
    PACKET("\x82\x00", STATUS_SYNTAX, 0, "SUBSCRIBE from a server"),
    PACKET("\xC0\x00", STATUS_SYNTAX, 0, "PINGREQ from a server"),
    PACKET("\xE0\x00", STATUS_SYNTAX, 0, "DISCONNECT from a server"),
    PACKET("\x00\x00", STATUS_SYNTAX, 0, "type 0"),
    PACKET("\xF0\x00", STATUS_SYNTAX, 0, "type 15"),
    PACKET("\x30\xFF\xFF\xFF\xFF\x01", STATUS_SYNTAX, 0, "length of five bytes"),
    PACKET("\x30\x83\x00\0\1a", STATUS_SYNTAX, 0, "length in more bytes than it needs"),
    PACKET("", 0, 0, "nothing"),
    PACKET("\x30", 0, 0, "half a header"),
    PACKET("\x30\xFF", 0, 0, "half a length"),
};

static int32_t decode_body(const mqtt_header_t *header, const uint8_t *body)
{
    bool present;
    uint8_t code;
    uint16_t id;
    mqtt_text_t codes;
    mqtt_publish_t publish;
    switch (header->type) {
    case MQTT_CONNACK:
        return mqtt_decode_connack(body, header->length, &present, &code);
    case MQTT_PUBLISH:
        return mqtt_decode_publish(header, body, header->length, &publish);
    case MQTT_SUBACK:
        return mqtt_decode_suback(body, header->length, &id, &codes);
    case MQTT_PINGRESP:
        return STATUS_OK;
    default:
        return mqtt_decode_ack(body, header->length, &id);
    }
}

static void test_decode(void)
{
    for (size_t i = 0; i < sizeof s_packets / sizeof s_packets[0]; i++) {
        const packet_row_t *row = &s_packets[i];
        uint8_t *exact = malloc(row->length + 1u);
        mqtt_header_t header;
        memcpy(exact, row->bytes, row->length);
        int32_t before = mqtt_decode_header(exact, row->length, &header);
        CHECK(before == row->header, row->about);
        if (before > 0) {
            CHECK(header.length == row->length - (size_t)before, row->about);
            CHECK(decode_body(&header, exact + before) == row->body, row->about);
        }
        free(exact);
    }
}

static void test_decode_publish(void)
{
    static const uint8_t s_body[] = "\0\3a/b\1\2hello";
    mqtt_header_t header = {MQTT_PUBLISH, 0x0B, 12};
    mqtt_publish_t got;
    CHECK(mqtt_decode_publish(&header, s_body, 12, &got) == STATUS_OK, "whole");
    CHECK(got.dup && got.retain && got.qos == 1u && got.id == 0x102, "whole");
    CHECK(got.topic.length == 3u && memcmp(got.topic.bytes, "a/b", 3) == 0, "whole");
    CHECK(got.payload.length == 5u && memcmp(got.payload.bytes, "hello", 5) == 0, "whole");
    CHECK(mqtt_decode_publish(&header, s_body, 8, &got) == STATUS_OK && got.payload.length == 1u,
          "begin of a message");
    CHECK(mqtt_decode_publish(&header, s_body, 6, &got) == STATUS_SYNTAX, "identifier is missing");
}

void test_mqtt_codec(void)
{
    test_texts();
    test_encode_connect();
    test_encode_publish();
    test_encode_topics();
    test_encode_short();
    test_decode();
    test_decode_publish();
}
