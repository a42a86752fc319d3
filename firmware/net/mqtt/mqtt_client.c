// SPDX-License-Identifier: MIT
#include "mqtt_client.h"

const char *mqtt_client_word(const mqtt_client_t *client)
{
    if (client->phase == MQTT_RUNNING) {
        return client->session.link == MQTT_LINK_UP     ? "up"
               : client->session.link == MQTT_LINK_DOWN ? "closing"
                                                        : "connecting";
    }
    return client->phase == MQTT_IDLE      ? "idle"
           : client->phase == MQTT_OPENING ? "opening"
                                           : "waiting";
}

bool mqtt_client_is_at_rest(const mqtt_client_t *client)
{
    return client->phase == MQTT_IDLE && !client->wanted;
}

int mqtt_client_result(const mqtt_client_t *client, uint16_t id, mqtt_result_t *result)
{
    int outcome = mqtt_session_result(&client->session, id, result);
    return outcome == 0 && mqtt_client_is_at_rest(client) ? STATUS_CLOSED : outcome;
}

static void client_enter(mqtt_client_t *client, mqtt_phase_t phase)
{
    client->phase = phase;
    client->since_ms = mqtt_port_now_ms();
    mqtt_port_changed(client);
}

static void client_rest(mqtt_client_t *client, bool gave_up)
{
    client->wanted = false;
    client->gave_up = gave_up;
    client_enter(client, MQTT_IDLE);
}

// After a connection that was lost, or did not come about.
static void client_lost(mqtt_client_t *client)
{
    if (client->was_up) {
        uint32_t lasted_ms = mqtt_port_now_ms() - client->session.up_since_ms;
        mqtt_backoff_connected(&client->backoff, &client->retry, lasted_ms);
    }
    if (!client->wanted || !client->reconnects) {
        client_rest(client, false);
    } else if (mqtt_backoff_next(&client->backoff, &client->retry, mqtt_port_random(),
                                 &client->wait_ms)) {
        client_enter(client, MQTT_WAITING);
    } else {
        client_rest(client, true);
    }
}

static uint32_t client_turn_idle(mqtt_client_t *client)
{
    if (!client->wanted) {
        return UINT32_MAX;
    }
    client->backoff.done = 0;
    client->attempts = 0;
    client->gave_up = false;
    client->session.fault = MQTT_FAULT_NONE;
    client_enter(client, MQTT_OPENING);
    return 0;
}

static uint32_t client_turn_waiting(mqtt_client_t *client)
{
    uint32_t waited_ms = mqtt_port_now_ms() - client->since_ms;
    if (!client->wanted) {
        client_rest(client, false);
    } else if (waited_ms < client->wait_ms) {
        return client->wait_ms - waited_ms;
    } else {
        client_enter(client, MQTT_OPENING);
    }
    return 0;
}

// The lock is let go while the transport is opened, which takes long.
static uint32_t client_turn_opening(mqtt_client_t *client)
{
    TransportInterface_t transport = {NULL, NULL, NULL, NULL};
    client->attempts++;
    client->was_up = false;
    mqtt_port_unlock();
    status_t status = mqtt_port_open(&transport);
    mqtt_port_lock();
    if (status == STATUS_OK) {
        status = mqtt_session_begin(&client->session, transport, mqtt_port_now_ms());
    }
    client->opening = status;
    if (status == STATUS_OK) {
        client_enter(client, MQTT_RUNNING);
    } else {
        mqtt_port_close();
        client->session.fault = MQTT_FAULT_OPEN;
        client_lost(client);
    }
    return 0;
}

static void client_receive(mqtt_client_t *client)
{
    mqtt_session_t *session = &client->session;
    uint8_t *at;
    size_t space = mqtt_session_space(session, &at);
    const TransportInterface_t *from = &session->transport;
    mqtt_port_unlock();
    int32_t got = from->recv(from->pNetworkContext, at, space);
    mqtt_port_lock();
    if (got > 0) {
        mqtt_session_received(session, (size_t)got, mqtt_port_now_ms());
    } else if (got < 0) {
        mqtt_session_fail(session, MQTT_FAULT_CLOSED);
    }
    mqtt_session_poll(session, mqtt_port_now_ms());
    if (got != 0) {
        mqtt_port_changed(client);
    }
}

static uint32_t client_turn_running(mqtt_client_t *client)
{
    if (!client->wanted) {
        mqtt_session_end(&client->session, mqtt_port_now_ms());
    } else if (client->session.link != MQTT_LINK_DOWN) {
        client_receive(client);
    }
    client->was_up = client->was_up || client->session.link == MQTT_LINK_UP;
    if (client->session.link == MQTT_LINK_DOWN) {
        mqtt_port_close();
        client_lost(client);
    }
    return 0;
}

static uint32_t client_turn(mqtt_client_t *client)
{
    switch (client->phase) {
    case MQTT_OPENING:
        return client_turn_opening(client);
    case MQTT_RUNNING:
        return client_turn_running(client);
    case MQTT_WAITING:
        return client_turn_waiting(client);
    default:
        return client_turn_idle(client);
    }
}

uint32_t mqtt_client_turn(mqtt_client_t *client)
{
    mqtt_port_lock();
    uint32_t rest_ms = client_turn(client);
    mqtt_port_unlock();
    return rest_ms;
}
