// SPDX-License-Identifier: MIT
// The MQTT session against a scripted server: what it sends is kept here, what it gets is written
// here, time is a number.
#define _GNU_SOURCE // memmem
#include "host_units.h"
#include "mqtt_session.h"
#include "pattern.h"

#include <stdlib.h>
#include <string.h>

enum { SENT_BYTES = 8192, BUFFER_BYTES = 64 };

static mqtt_session_t s_session;
static uint8_t s_buffer[BUFFER_BYTES];
static uint8_t s_sent[SENT_BYTES];
static size_t s_sent_length;
static size_t s_most; // of one send; 0: the transport takes nothing
static uint32_t s_now;
static unsigned s_messages;
static size_t s_acks_seen_by_handler;

static int32_t fake_send(NetworkContext_t *context, const void *bytes, size_t length)
{
    (void)context;
    size_t taken = length < s_most ? length : s_most;
    if (s_sent_length + taken <= SENT_BYTES) {
        memcpy(s_sent + s_sent_length, bytes, taken);
        s_sent_length += taken;
    }
    return (int32_t)taken;
}

static void on_message(void *owner, const mqtt_publish_t *message)
{
    (void)owner;
    (void)message;
    s_messages++;
    s_acks_seen_by_handler = s_sent_length;
}

static bool sent_is(const char *bytes, size_t length)
{
    bool same = s_sent_length == length && memcmp(s_sent, bytes, length) == 0;
    s_sent_length = 0;
    return same;
}

#define SENT(bytes) sent_is((bytes), sizeof(bytes) - 1u)

static void feed_bytes(const char *bytes, size_t length)
{
    while (length > 0u && s_session.link != MQTT_LINK_DOWN) {
        uint8_t *at;
        size_t space = mqtt_session_space(&s_session, &at);
        size_t count = length < space ? length : space;
        memcpy(at, bytes, count);
        mqtt_session_received(&s_session, count, s_now);
        bytes += count;
        length -= count;
    }
}

#define FEED(bytes) feed_bytes((bytes), sizeof(bytes) - 1u)

static void pass(uint32_t ms)
{
    s_now += ms;
    mqtt_session_poll(&s_session, s_now);
}

static void connect_again(const char *connack)
{
    TransportInterface_t transport = {NULL, fake_send, NULL, NULL};
    CHECK(mqtt_session_begin(&s_session, transport, s_now) == STATUS_OK, "begin");
    s_sent_length = 0;
    feed_bytes(connack, 4);
}

static void start(void)
{
    mqtt_session_init(&s_session, s_buffer, sizeof s_buffer);
    s_session.connect = (mqtt_connect_t){.client = mqtt_text("dut"), .keep_alive_s = 8};
    s_session.timing = (mqtt_timing_t){1000, 2000, 500, 2};
    s_session.on_message = on_message;
    s_most = SIZE_MAX;
    s_messages = 0;
    s_now = UINT32_MAX - 900u; // time wraps in the course of every test
    connect_again("\x20\x02\0\0");
    CHECK(s_session.link == MQTT_LINK_UP && !s_session.resumed, "start");
}

static int32_t publish(uint8_t qos, const char *topic, const char *payload)
{
    mqtt_message_t message = {.topic = mqtt_text(topic),
                              .qos = qos,
                              .payload = (const uint8_t *)payload,
                              .length = (uint32_t)strlen(payload)};
    return mqtt_session_publish(&s_session, &message, s_now);
}

static int32_t subscribe(const char *filter)
{
    mqtt_topic_t topic = {mqtt_text(filter), 1};
    return mqtt_session_topics(&s_session, MQTT_SUBSCRIBE, &topic, 1, s_now);
}

// ---- connecting --------------------------------------------------------------------------------

static void test_connecting(void)
{
    start();
    mqtt_session_fail(&s_session, MQTT_FAULT_CLOSED);
    connect_again("\x20\x02\0\5");
    CHECK(s_session.fault == MQTT_FAULT_REFUSED && s_session.refusal == 5u, "refused");
    connect_again("\xD0\x00\xD0\x00");
    CHECK(s_session.fault == MQTT_FAULT_MALFORMED, "something else than CONNACK");
    start();
    FEED("\x20\x02\0\0");
    CHECK(s_session.fault == MQTT_FAULT_MALFORMED, "CONNACK twice");
    start();
    mqtt_session_fail(&s_session, MQTT_FAULT_CLOSED);
    s_session.connect.clean = true;
    connect_again("\x20\x02\1\0");
    CHECK(s_session.fault == MQTT_FAULT_MALFORMED, "session of a clean connection");
    TransportInterface_t transport = {NULL, fake_send, NULL, NULL};
    (void)mqtt_session_begin(&s_session, transport, s_now);
    pass(999);
    CHECK(s_session.link == MQTT_LINK_CONNECTING, "CONNACK is waited for");
    pass(1);
    CHECK(s_session.fault == MQTT_FAULT_CONNACK, "and not for ever");
    s_session.connect.client = mqtt_text("\xFF");
    CHECK(mqtt_session_begin(&s_session, transport, s_now) == STATUS_VALUE, "bad name");
}

static void test_password_is_not_left_behind(void)
{
    start();
    mqtt_session_fail(&s_session, MQTT_FAULT_CLOSED);
    s_session.connect.user = mqtt_text("me");
    s_session.connect.password = mqtt_text("sesame");
    TransportInterface_t transport = {NULL, fake_send, NULL, NULL};
    s_sent_length = 0;
    CHECK(mqtt_session_begin(&s_session, transport, s_now) == STATUS_OK, "begin");
    CHECK(memmem(s_sent, s_sent_length, "sesame", 6) != NULL, "it was sent");
    CHECK(memmem(&s_session, sizeof s_session, "sesame", 6) == NULL, "and is not kept");
}

static void test_keep_alive(void)
{
    start();
    pass(6999);
    CHECK(SENT(""), "not yet");
    pass(1);
    CHECK(SENT("\xC0\x00"), "PINGREQ before the keep-alive time is over");
    FEED("\xD0\x00");
    CHECK(s_session.counts.pings == 1u && s_session.counts.pongs == 1u, "answered");
    pass(6000);
    (void)publish(0, "a", "x");
    s_sent_length = 0;
    pass(1999);
    CHECK(SENT(""), "what is sent counts as life");
    pass(1);
    CHECK(SENT("\xC0\x00"), "but the server was not heard for the whole of it");
    FEED("\xD0\x00");
    pass(7000);
    CHECK(SENT("\xC0\x00"), "PINGREQ");
    pass(499);
    CHECK(s_session.link == MQTT_LINK_UP, "PINGRESP is waited for");
    pass(1);
    CHECK(s_session.fault == MQTT_FAULT_PINGRESP, "and not for ever");
    start();
    s_session.connect.keep_alive_s = 0;
    pass(100000);
    CHECK(SENT("") && s_session.link == MQTT_LINK_UP, "no keep-alive");
}

static void test_end(void)
{
    start();
    mqtt_session_end(&s_session, s_now);
    CHECK(SENT("\xE0\x00") && s_session.link == MQTT_LINK_DOWN, "DISCONNECT");
    CHECK(s_session.fault == MQTT_FAULT_NONE, "without a fault");
}

// ---- publishing --------------------------------------------------------------------------------

static void test_publish(void)
{
    mqtt_result_t result;
    start();
    CHECK(publish(0, "a", "x") == 0 && SENT("\x30\x04\0\1ax"), "QoS 0");
    s_most = 3; // in pieces
    CHECK(publish(1, "a", "x") == 1 && SENT("\x32\x06\0\1a\0\1x"), "QoS 1");
    s_most = SIZE_MAX;
    CHECK(mqtt_session_result(&s_session, 1, &result) == 0, "not yet");
    FEED("\x40\x02\0\1");
    CHECK(mqtt_session_result(&s_session, 1, &result) == 1, "acknowledged");
    CHECK(publish(2, "a", "x") == 2 && SENT("\x34\x06\0\1a\0\2x"), "QoS 2");
    FEED("\x50\x02\0\2");
    CHECK(SENT("\x62\x02\0\2") && mqtt_session_result(&s_session, 2, &result) == 0, "PUBREL");
    FEED("\x50\x02\0\2");
    CHECK(SENT("\x62\x02\0\2"), "PUBREL again for a repeated PUBREC");
    FEED("\x70\x02\0\2");
    CHECK(mqtt_session_result(&s_session, 2, &result) == 1, "PUBCOMP");
    CHECK(mqtt_session_result(&s_session, 77, &result) == STATUS_UNKNOWN, "never sent");
    FEED("\x40\x02\0\x4D");
    CHECK(s_session.link == MQTT_LINK_UP, "an answer to nothing is let by");
    CHECK(publish(1, "a/#", "x") == STATUS_VALUE, "wildcard");
    s_most = 0;
    CHECK(publish(0, "a", "x") == STATUS_CLOSED, "nothing is taken");
    CHECK(s_session.fault == MQTT_FAULT_CLOSED, "nothing is taken");
}

static void test_pattern_payload(void)
{
    uint8_t expected[1000];
    mqtt_message_t message = {.topic = mqtt_text("a"), .qos = 1, .length = 1000, .seed = 3};
    start();
    pattern_fill(3, 0, expected, sizeof expected);
    CHECK(mqtt_session_publish(&s_session, &message, s_now) == 1, "published");
    CHECK(s_sent_length == 1008u && memcmp(s_sent + 8, expected, 1000) == 0, "bytes");
    s_sent_length = 0;
    pass(2000);
    CHECK(s_sent_length == 1008u && memcmp(s_sent + 8, expected, 1000) == 0, "and again");
}

static void test_table_is_full(void)
{
    char payload[MQTT_KEPT_BYTES + 1];
    start();
    for (int i = 0; i < MQTT_IN_FLIGHT; i++) {
        CHECK(publish(1, "a", "x") == i + 1, "fits");
    }
    CHECK(publish(1, "a", "x") == STATUS_SPACE, "one too many");
    CHECK(subscribe("a") == STATUS_SPACE, "one too many");
    FEED("\x40\x02\0\5");
    memset(payload, 'x', sizeof payload);
    payload[MQTT_KEPT_BYTES] = '\0';
    CHECK(publish(1, "a", payload) == STATUS_SPACE, "too long to keep");
    s_session.last_id = 4;
    CHECK(publish(1, "a", "x") == 5, "the next identifier that is free");
}

static void test_resend(void)
{
    start();
    (void)publish(1, "a", "x");
    s_sent_length = 0;
    pass(1999);
    CHECK(SENT(""), "PUBACK is waited for");
    pass(1);
    CHECK(SENT("\x3A\x06\0\1a\0\1x"), "sent again, with DUP");
    pass(2000);
    CHECK(SENT("\x3A\x06\0\1a\0\1x"), "and again");
    pass(2000);
    CHECK(s_session.fault == MQTT_FAULT_ACK && SENT(""), "then the connection is given up");
    connect_again("\x20\x02\1\0");
    CHECK(s_session.resumed && SENT("\x3A\x06\0\1a\0\1x"), "the session goes on: with DUP");
    FEED("\x40\x02\0\1");
    pass(2000);
    CHECK(SENT("") && s_session.counts.completed == 1u, "done");
}

static void test_resend_qos2(void)
{
    start();
    (void)publish(2, "a", "x");
    s_sent_length = 0;
    pass(2000);
    CHECK(SENT("\x3C\x06\0\1a\0\1x"), "sent again, with DUP");
    pass(2000);
    CHECK(SENT("") && s_session.link == MQTT_LINK_UP, "a broker would end it at a second repeat");
    FEED("\x50\x02\0\1");
    CHECK(SENT("\x62\x02\0\1"), "what was waited for");
    pass(2000);
    CHECK(SENT("\x62\x02\0\1"), "PUBREL is sent again");
    pass(2000);
    CHECK(SENT("\x62\x02\0\1"), "and again");
    pass(2000);
    CHECK(s_session.fault == MQTT_FAULT_ACK && SENT(""), "then the connection is given up");

    start();
    (void)publish(2, "a", "x");
    pass(2000);
    pass(2000);
    s_sent_length = 0;
    pass(2000);
    CHECK(s_session.fault == MQTT_FAULT_ACK && SENT(""), "given up in the time of any packet");
    connect_again("\x20\x02\1\0");
    CHECK(SENT("\x3C\x06\0\1a\0\1x"), "the session goes on: with DUP");
}

static void test_lost_session(void)
{
    start();
    (void)publish(1, "a", "x");
    (void)publish(2, "b", "y");
    FEED("\x50\x02\0\2");
    mqtt_session_fail(&s_session, MQTT_FAULT_CLOSED);
    CHECK(publish(1, "c", "z") == 3, "kept without a connection");
    CHECK(publish(0, "c", "z") == STATUS_CLOSED, "QoS 0 is not");
    connect_again("\x20\x02\0\0");
    CHECK(SENT("\x32\x06\0\1a\0\1x\x32\x06\0\1c\0\3z"), "new to the server: no DUP, in order");
    mqtt_session_fail(&s_session, MQTT_FAULT_CLOSED);
    connect_again("\x20\x02\1\0");
    CHECK(SENT("\x3A\x06\0\1a\0\1x\x3A\x06\0\1c\0\3z"), "known to it: DUP");
}

static void test_release_goes_on(void)
{
    start();
    (void)publish(2, "b", "y");
    FEED("\x50\x02\0\1");
    mqtt_session_fail(&s_session, MQTT_FAULT_CLOSED);
    connect_again("\x20\x02\1\0");
    CHECK(SENT("\x62\x02\0\1"), "PUBREL, not the message");
}

static void test_cut(void)
{
    start();
    s_session.cut = MQTT_CUT_PUBLISH;
    CHECK(publish(1, "a", "x") == 1 && SENT("\x32\x06\0\1a\0\1x"), "sent");
    CHECK(s_session.fault == MQTT_FAULT_CUT, "and cut");
    connect_again("\x20\x02\1\0");
    CHECK(SENT("\x3A\x06\0\1a\0\1x") && s_session.link == MQTT_LINK_UP, "once");
}

// ---- receiving ---------------------------------------------------------------------------------

static void test_receive(void)
{
    start();
    FEED("\x30\x04\0\1ax");
    CHECK(s_messages == 1u && SENT(""), "QoS 0");
    FEED("\x32\x06\0\1a\0\x09x");
    CHECK(s_acks_seen_by_handler == 0u, "the message is handed on first");
    CHECK(s_messages == 2u && SENT("\x40\x02\0\x09"), "then PUBACK");
    FEED("\x32\x06\0\1a\0\x09x");
    FEED("\x3A\x06\0\1a\0\x09x");
    CHECK(s_messages == 4u && SENT("\x40\x02\0\x09\x40\x02\0\x09"), "acknowledged ones are new");
    FEED("\x34\x06\0\1a\0\x0Ax");
    FEED("\x3C\x06\0\1a\0\x0Ax");
    CHECK(s_messages == 5u && SENT("\x50\x02\0\x0A\x50\x02\0\x0A"), "QoS 2, once");
    FEED("\x62\x02\0\x0A");
    CHECK(SENT("\x70\x02\0\x0A"), "PUBCOMP");
    FEED("\x34\x06\0\1a\0\x0Ax");
    CHECK(s_messages == 6u, "after PUBREL it is a new one");
}

static void test_duplicate_on_resumed_session(void)
{
    start();
    s_session.cut = MQTT_CUT_PUBACK;
    FEED("\x32\x06\0\1a\0\x09x");
    CHECK(s_messages == 1u && SENT("") && s_session.fault == MQTT_FAULT_CUT, "no PUBACK");
    connect_again("\x20\x02\1\0");
    FEED("\x3A\x06\0\1a\0\x09x");
    CHECK(s_messages == 1u && SENT("\x40\x02\0\x09"), "acknowledged, not handed on twice");
    CHECK(s_session.counts.duplicates == 1u, "and counted");
    s_session.cut = MQTT_CUT_PUBACK;
    FEED("\x32\x06\0\1a\0\x09x");
    connect_again("\x20\x02\0\0");
    FEED("\x3A\x06\0\1a\0\x09x");
    CHECK(s_messages == 3u, "without the session it is a new one");
    s_sent_length = 0;
    s_session.cut = MQTT_CUT_MESSAGE;
    FEED("\x32\x06\0\1a\0\x0Ax");
    CHECK(s_messages == 3u && SENT("") && s_session.fault == MQTT_FAULT_CUT, "not handed on");
    connect_again("\x20\x02\1\0");
    FEED("\x3A\x06\0\1a\0\x0Ax");
    CHECK(s_messages == 4u && SENT("\x40\x02\0\x0A"), "so it is not acknowledged either");
}

// The transport breaks while PUBACK is sent: the server may have it, and its identifier may be that
// of another message when it comes again.
static void test_failed_puback(void)
{
    start();
    s_most = 0;
    FEED("\x32\x06\0\1a\0\x09x");
    CHECK(s_messages == 1u && s_session.fault == MQTT_FAULT_CLOSED, "PUBACK did not go");
    s_most = SIZE_MAX;
    connect_again("\x20\x02\1\0");
    FEED("\x3A\x06\0\1a\0\x09y");
    CHECK(s_messages == 2u && SENT("\x40\x02\0\x09"), "a repetition of what, nobody knows");
    s_most = 0;
    FEED("\x32\x06\0\1a\0\x0Ax");
    s_most = SIZE_MAX;
    connect_again("\x20\x02\1\0");
    FEED("\x34\x06\0\1a\0\x0Ay");
    CHECK(s_messages == 4u && SENT("\x50\x02\0\x0A"), "nor is one of QoS 2 taken for it");
}

static void test_too_large(void)
{
    static const char s_head[] = "\x32\xC8\x01\0\1a\0\7"; // 200 bytes follow the header
    char packet[sizeof s_head - 1 + 195 + 2];
    start();
    memset(packet, 'x', sizeof packet);
    memcpy(packet, s_head, sizeof s_head - 1u);
    memcpy(packet + sizeof packet - 2u, "\xD0\x00", 2);
    s_session.ping_waits = true;
    feed_bytes(packet, sizeof packet);
    CHECK(s_messages == 0u && s_session.counts.too_large == 1u, "let by");
    CHECK(SENT("\x40\x02\0\7"), "and acknowledged");
    CHECK(s_session.link == MQTT_LINK_UP && s_session.counts.pongs == 1u, "what follows is read");
}

// ---- subscriptions -----------------------------------------------------------------------------

static void test_subscriptions(void)
{
    mqtt_result_t result;
    mqtt_topic_t topics[2] = {{mqtt_text("a"), 1}, {mqtt_text("b"), 0}};
    start();
    CHECK(mqtt_session_topics(&s_session, MQTT_SUBSCRIBE, topics, 2, s_now) == 1, "subscribed");
    CHECK(SENT("\x82\x0A\0\1\0\1a\1\0\1b\0"), "subscribed");
    pass(2000);
    CHECK(SENT("\x82\x0A\0\1\0\1a\1\0\1b\0"), "no SUBACK: again");
    FEED("\x90\x04\0\1\1\x80");
    CHECK(mqtt_session_result(&s_session, 1, &result) == 1 && result.count == 2u, "SUBACK");
    CHECK(result.codes[0] == 1u && result.codes[1] == MQTT_SUBACK_FAILED, "codes");
    mqtt_session_fail(&s_session, MQTT_FAULT_CLOSED);
    connect_again("\x20\x02\1\0");
    pass(1);
    CHECK(SENT(""), "the server knows it");
    mqtt_session_fail(&s_session, MQTT_FAULT_CLOSED);
    connect_again("\x20\x02\0\0");
    pass(1);
    CHECK(SENT("\x82\x06\0\2\0\1a\1"), "the server does not: asked for again, but what it refused");
    mqtt_session_fail(&s_session, MQTT_FAULT_CLOSED);
    connect_again("\x20\x02\0\0");
    pass(1);
    CHECK(SENT("\x82\x06\0\3\0\1a\1"), "once, though the one before was not answered");
    FEED("\x90\x03\0\3\1");
    topics[0].qos = 0;
    CHECK(mqtt_session_topics(&s_session, MQTT_UNSUBSCRIBE, topics, 1, s_now) == 4, "unsubscribed");
    CHECK(SENT("\xA2\x05\0\4\0\1a"), "unsubscribed");
    FEED("\xB0\x02\0\4");
    connect_again("\x20\x02\0\0");
    pass(1);
    CHECK(SENT(""), "nothing is left");
}

static void test_many_subscriptions(void)
{
    char filter[] = "f/0";
    start();
    for (char i = 0; i < MQTT_SUBSCRIPTIONS; i++) {
        filter[2] = (char)('A' + i);
        CHECK(subscribe(filter) == i + 1, filter);
        char suback[] = {'\x90', 3, 0, (char)(i + 1), 1};
        feed_bytes(suback, sizeof suback);
    }
    CHECK(subscribe("one/more") == STATUS_SPACE, "table is full");
    CHECK(subscribe("f/A") == MQTT_SUBSCRIPTIONS + 1, "but a filter may be given again");
    FEED("\x90\x03\0\x11\1");
    connect_again("\x20\x02\0\0");
    pass(1);
    pass(1);
    pass(1);
    CHECK(s_sent_length == 2u * (4u + 8u * 6u), "two packets of eight");
}

// ---- noise -------------------------------------------------------------------------------------

static uint32_t s_random = 20261126;

static uint32_t random_below(uint32_t most)
{
    s_random = s_random * 1664525u + 1013904223u;
    return (s_random >> 8) % most;
}

// A stream of good packets with some bytes changed, removed or put in.
static size_t make_noise(char *bytes, size_t size)
{
    static const char *const s_good[] = {
        "\x30\x04?\1ax", "\x32\x06?\1a?\1x", "\x40\x02?\1", "\x90\x03?\1\1", "\xD0", "\x50\x02?\2"};
    size_t length = 0;
    while (length + 8u < size) {
        const char *packet = s_good[random_below(6)];
        for (size_t i = 0; packet[i] != '\0'; i++) {
            bytes[length++] = packet[i] == '?' ? '\0' : packet[i];
        }
        if (packet[0] == '\xD0') {
            bytes[length++] = '\0';
        }
        if (random_below(4) == 0u) {
            bytes[random_below((uint32_t)length)] = (char)random_below(256);
        }
    }
    return length;
}

static void test_noise(void)
{
    unsigned refused = 0;
    for (unsigned round = 0; round < 3000; round++) {
        char noise[200];
        uint8_t *exact = malloc(BUFFER_BYTES);
        start();
        s_session.buffer = exact;
        s_session.connect.keep_alive_s = 0;
        (void)publish(1 + (uint8_t)random_below(2), "a", "x");
        (void)subscribe("a");
        size_t length = make_noise(noise, sizeof noise);
        for (size_t at = 0; at < length;) {
            size_t count = 1u + random_below((uint32_t)(length - at));
            feed_bytes(noise + at, count);
            at += count;
        }
        refused += s_session.fault == MQTT_FAULT_MALFORMED ? 1u : 0u;
        CHECK(s_session.link == MQTT_LINK_UP || s_session.fault == MQTT_FAULT_MALFORMED, "noise");
        s_sent_length = 0;
        free(exact);
    }
    CHECK(refused > 1000u && refused < 3000u, "noise is refused, and some of it is harmless");
}

void test_mqtt_session(void)
{
    test_connecting();
    test_password_is_not_left_behind();
    test_keep_alive();
    test_end();
    test_publish();
    test_pattern_payload();
    test_table_is_full();
    test_resend();
    test_resend_qos2();
    test_lost_session();
    test_release_goes_on();
    test_cut();
    test_receive();
    test_duplicate_on_resumed_session();
    test_failed_puback();
    test_too_large();
    test_subscriptions();
    test_many_subscriptions();
    test_noise();
}
