// SPDX-License-Identifier: MIT
// The board's MQTT client: the task net.mqtt, which is made when the client is first asked to
// connect. The client itself is in mqtt/; here it gets its connection, its clock and its lock.
//
// Calls that send (publish, topics) may do the work of TLS: from tasks with a deep stack, such as
// the worker's. One task at a time may wait; the worker's jobs take turns.
#ifndef MQTT_TASK_H
#define MQTT_TASK_H

#include "kernel_compat.h"
#include "mqtt_client.h"

enum {
    MQTT_HOST_BYTES = 128,
    MQTT_NAME_BYTES = 129,
    MQTT_SECRET_BYTES = 65,
    MQTT_WILL_BYTES = 257
};

// Where to, and as whom. Changed by the console task while the client is idle.
typedef struct {
    char host[MQTT_HOST_BYTES];
    uint16_t port;
    bool tls;
    bool clean;
    bool reconnects;
    bool resume; // TLS: offers the session of the last connection
    uint16_t keep_alive_s;
    char client[MQTT_NAME_BYTES];
    char user[MQTT_SECRET_BYTES]; // "": none
    char password[MQTT_SECRET_BYTES];
    char alpn[MQTT_SECRET_BYTES];      // "": none
    char server_name[MQTT_HOST_BYTES]; // "": host
    char will_topic[MQTT_WILL_BYTES];  // "": no will
    char will_payload[MQTT_WILL_BYTES];
    uint8_t will_qos;
    bool will_retain;
} mqtt_settings_t;

// Makes the task if there is none yet. Before any other call, by the console task.
void mqtt_task_prepare(void);

// Disconnects and ends the task, if there is one; what the client keeps of its session stays. For
// net_down(), before the network goes.
void mqtt_task_end(void);

mqtt_settings_t *mqtt_task_settings(void);

// The client; others than the task look at it between mqtt_port_lock() and mqtt_port_unlock().
mqtt_client_t *mqtt_task_client(void);

// Why the transport could not be opened last, in words; "" if it could.
const char *mqtt_task_fault(void);

// Connects as the settings say and waits until the session is up. STATUS_RANGE: it is not idle.
// STATUS_TIMEOUT: not up yet, but it goes on trying. Others: it has given up, because of that.
status_t mqtt_task_connect(uint32_t wait_ms);

// Disconnects, or stops trying, and waits until the client is idle.
status_t mqtt_task_disconnect(uint32_t wait_ms);

// Publishes; waits for the answer to QoS 1 and 2 unless wait_ms is 0. Returns the packet
// identifier, or as mqtt_session_publish(); STATUS_TIMEOUT: sent or kept, but not answered yet;
// STATUS_CLOSED, at once: kept, and nothing can answer as the client does not connect by itself.
int32_t mqtt_task_publish(const mqtt_message_t *message, uint32_t wait_ms);

// Subscribes or unsubscribes and waits for the answer; returns as mqtt_task_publish() does.
int32_t mqtt_task_topics(mqtt_type_t type, const mqtt_topic_t *topics, size_t count,
                         mqtt_result_t *result, uint32_t wait_ms);

// Waits until something of the client or a message changed, or the kernel's tick `deadline` has
// come: false then. Another change may have been the cause: look, and wait again.
bool mqtt_task_rest(TickType_t deadline);

// The deadline `wait_ms` from now.
TickType_t mqtt_task_deadline(uint32_t wait_ms);

// A message came; the lock is held. In cmd_mqtt_messages.c; called by the task net.mqtt only.
void mqtt_task_on_message(void *owner, const mqtt_publish_t *message);

#endif
