// SPDX-License-Identifier: MIT
// The client that keeps itself connected, on a port whose network and clock are a script; and the
// back-off it waits by.
#include "host_units.h"
#include "mqtt_client.h"

#include <string.h>

static mqtt_client_t s_client;
static uint8_t s_buffer[256];
static uint32_t s_now;
static uint32_t s_random;
static status_t s_opening;    // what the next open gives
static const char *s_connack; // what comes after an open; NULL: the connection is closed
static unsigned s_opens, s_closes, s_locked;
static uint8_t s_last_packet;

static int32_t fake_send(NetworkContext_t *context, const void *bytes, size_t length)
{
    (void)context;
    s_last_packet = *(const uint8_t *)bytes;
    return (int32_t)length;
}

static int32_t fake_receive(NetworkContext_t *context, void *bytes, size_t length)
{
    (void)context;
    (void)length;
    CHECK(s_locked == 0u, "receives without the lock");
    if (s_connack == NULL) {
        return -1;
    }
    if (s_client.session.link == MQTT_LINK_UP) {
        return 0;
    }
    memcpy(bytes, s_connack, 4);
    return 4;
}

status_t mqtt_port_open(TransportInterface_t *transport)
{
    CHECK(s_locked == 0u, "opens without the lock");
    s_opens++;
    *transport = (TransportInterface_t){fake_receive, fake_send, NULL, NULL};
    return s_opening;
}

void mqtt_port_close(void)
{
    s_closes++;
}

uint32_t mqtt_port_now_ms(void)
{
    return s_now;
}

uint32_t mqtt_port_random(void)
{
    return s_random;
}

void mqtt_port_lock(void)
{
    s_locked++;
}

void mqtt_port_unlock(void)
{
    s_locked--;
}

void mqtt_port_changed(const mqtt_client_t *client)
{
    (void)client;
    CHECK(s_locked == 1u, "changes are told under the lock");
}

static const mqtt_retry_t s_retry = {100, 1000, 6, 5000, MQTT_JITTER_NONE};

static void start(void)
{
    memset(&s_client, 0, sizeof s_client);
    mqtt_session_init(&s_client.session, s_buffer, sizeof s_buffer);
    s_client.session.connect.client = mqtt_text("dut");
    s_client.retry = s_retry;
    s_client.wanted = s_client.reconnects = true;
    s_now = UINT32_MAX - 1000u;
    s_opening = STATUS_OK;
    s_connack = "\x20\x02\0\0";
    s_opens = s_closes = 0;
}

static void turn(unsigned times)
{
    while (times-- > 0u) {
        (void)mqtt_client_turn(&s_client);
    }
}

static bool is(const char *word)
{
    return strcmp(mqtt_client_word(&s_client), word) == 0;
}

static void test_connect_and_stop(void)
{
    start();
    s_client.wanted = false;
    CHECK(mqtt_client_turn(&s_client) == UINT32_MAX && is("idle"), "idle");
    s_client.wanted = true;
    turn(1);
    CHECK(is("opening"), "opening");
    turn(1);
    CHECK(is("connecting") && s_last_packet == 0x10u, "connecting");
    turn(1);
    CHECK(is("up") && s_opens == 1u, "up");
    s_client.wanted = false;
    turn(1);
    CHECK(is("idle") && s_last_packet == 0xE0u && s_closes == 1u, "disconnected");
}

// A network that refuses: the windows double up to the cap, then it gives up.
static void test_gives_up(void)
{
    static const uint32_t s_waits[] = {100, 200, 400, 800, 1000, 1000};
    start();
    s_opening = STATUS_REFUSED;
    turn(2);
    for (size_t i = 0; i < 6; i++) {
        CHECK(is("waiting") && s_client.wait_ms == s_waits[i], "wait");
        CHECK(mqtt_client_turn(&s_client) == s_waits[i] && is("waiting"), "rest");
        s_now += s_waits[i] - 1u;
        CHECK(mqtt_client_turn(&s_client) == 1u && is("waiting"), "not yet");
        s_now++;
        turn(2);
    }
    CHECK(is("idle") && s_client.gave_up && s_opens == 7u, "gives up");
    CHECK(s_client.session.fault == MQTT_FAULT_OPEN && s_client.opening == STATUS_REFUSED, "why");
}

static void lose_after(uint32_t ms)
{
    s_connack = "\x20\x02\0\0";
    s_now += s_client.phase == MQTT_WAITING ? s_client.wait_ms : 0u;
    turn(3);
    CHECK(is("up"), "up");
    s_now += ms;
    s_connack = NULL;
    turn(1);
    CHECK(is("waiting") && s_client.session.fault == MQTT_FAULT_CLOSED, "lost");
}

static void test_unstable_connection(void)
{
    start();
    lose_after(10);
    CHECK(s_client.wait_ms == 100u, "first");
    lose_after(10);
    CHECK(s_client.wait_ms == 200u, "a connection that does not last goes on with the back-off");
    lose_after(5000);
    CHECK(s_client.wait_ms == 100u, "one that lasts begins anew");
}

static void publish_and_lose(bool reconnects)
{
    static const mqtt_message_t s_message = {.topic = {(const uint8_t *)"a", 1}, .qos = 2};
    mqtt_result_t result;
    start();
    s_client.reconnects = reconnects;
    turn(3);
    CHECK(mqtt_session_publish(&s_client.session, &s_message, s_now) == 1, "sent");
    CHECK(mqtt_client_result(&s_client, 1, &result) == 0, "not answered yet");
    s_connack = NULL;
    turn(1);
}

static void test_no_answer_comes_without_a_connection(void)
{
    mqtt_result_t result;
    publish_and_lose(true);
    CHECK(is("waiting") && mqtt_client_result(&s_client, 1, &result) == 0, "may yet come");
    publish_and_lose(false);
    CHECK(is("idle") && mqtt_client_result(&s_client, 1, &result) == STATUS_CLOSED, "cannot come");
    CHECK(mqtt_client_result(&s_client, 9, &result) == STATUS_UNKNOWN, "never sent");
    s_client.wanted = true;
    CHECK(mqtt_client_result(&s_client, 1, &result) == 0, "is to be sent again");
}

static void test_stops_while_it_waits(void)
{
    start();
    s_opening = STATUS_TIMEOUT;
    turn(2);
    s_client.wanted = false;
    turn(1);
    CHECK(is("idle") && !s_client.gave_up, "stopped");
    s_client.wanted = true;
    s_client.reconnects = false;
    turn(2);
    CHECK(is("idle") && !s_client.wanted && s_client.session.fault == MQTT_FAULT_OPEN, "once");
}

static void test_jitter(void)
{
    mqtt_backoff_t backoff = {3};
    mqtt_retry_t retry = {100, 1000, 0, 0, MQTT_JITTER_FULL};
    uint32_t wait = 0;
    CHECK(mqtt_backoff_next(&backoff, &retry, 0, &wait) && wait == 0u, "from nothing");
    backoff.done = 3;
    CHECK(mqtt_backoff_next(&backoff, &retry, UINT32_MAX, &wait) && wait == 800u, "to the window");
    backoff.done = 3;
    CHECK(mqtt_backoff_next(&backoff, &retry, UINT32_MAX / 2u, &wait) && wait == 400u, "half");
    retry.jitter = MQTT_JITTER_EQUAL;
    backoff.done = 3;
    CHECK(mqtt_backoff_next(&backoff, &retry, 0, &wait) && wait == 400u, "from half");
    backoff.done = 100;
    CHECK(mqtt_backoff_next(&backoff, &retry, UINT32_MAX, &wait) && wait == 1000u,
          "never gives up");
    backoff.done = UINT32_MAX;
    CHECK(mqtt_backoff_next(&backoff, &retry, 0, &wait) && backoff.done == UINT32_MAX, "no wrap");
}

void test_mqtt_client(void)
{
    test_connect_and_stop();
    test_gives_up();
    test_unstable_connection();
    test_no_answer_comes_without_a_connection();
    test_stops_while_it_waits();
    test_jitter();
}
