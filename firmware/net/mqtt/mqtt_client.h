// SPDX-License-Identifier: MIT
// A session that keeps itself connected: opens the transport, connects, receives, and when the
// connection is lost tries again with back-off. Pure apart from the port below, which whoever runs
// it fills: a task of the firmware, or a program on the host.
//
// One task calls mqtt_client_turn() for ever. Others may use the session between
// mqtt_port_lock() and mqtt_port_unlock(), and set `wanted`, `reconnects`, `retry` there.
#ifndef MQTT_CLIENT_H
#define MQTT_CLIENT_H

#include "mqtt_backoff.h"
#include "mqtt_session.h"

typedef enum {
    MQTT_IDLE,    // not connected, and does not want to be
    MQTT_OPENING, // the transport is being opened
    MQTT_RUNNING, // the transport is open; session.link says more
    MQTT_WAITING, // until the next attempt
} mqtt_phase_t;

typedef struct {
    mqtt_session_t session;
    mqtt_retry_t retry;
    bool wanted;     // set it to connect; clear it to disconnect
    bool reconnects; // whether a lost connection, or one that failed, is tried again
    // read by others
    mqtt_phase_t phase;
    bool gave_up;      // retry.attempts were used up
    status_t opening;  // what the last open of the transport gave
    uint32_t attempts; // opens of the transport since it was wanted
    uint32_t wait_ms;  // the last back-off
    // its own
    mqtt_backoff_t backoff;
    uint32_t since_ms;
    bool was_up;
} mqtt_client_t;

// Does one step; blocks at most for the transport's own time-outs. Returns for how many
// milliseconds there is nothing to do, unless somebody asks for something; UINT32_MAX: for ever.
uint32_t mqtt_client_turn(mqtt_client_t *client);

// Whether it is idle and stays so: no answer and no message comes any more until somebody connects.
bool mqtt_client_is_at_rest(const mqtt_client_t *client);

// As mqtt_session_result(), for who waits: STATUS_CLOSED where there is no answer yet and none can
// come, because the client is at rest. What is kept stays kept.
int mqtt_client_result(const mqtt_client_t *client, uint16_t id, mqtt_result_t *result);

// The word of what it does: "idle", "opening", "connecting", "up", "closing", "waiting".
const char *mqtt_client_word(const mqtt_client_t *client);

// ---- the port ----------------------------------------------------------------------------------

// Opens the transport that the client is meant for; called without the lock.
status_t mqtt_port_open(TransportInterface_t *transport);

// Closes it, if it is open.
void mqtt_port_close(void);

uint32_t mqtt_port_now_ms(void);

// 32 bits that another board, and the next attempt, has otherwise.
uint32_t mqtt_port_random(void);

// Keep other tasks from the client and its session.
void mqtt_port_lock(void);
void mqtt_port_unlock(void);

// Something changed that a task may wait for. Called with the lock held.
void mqtt_port_changed(const mqtt_client_t *client);

#endif
