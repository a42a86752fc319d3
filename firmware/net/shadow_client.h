// SPDX-License-Identifier: MIT
// The board's shadow: sends requests over the MQTT client and waits for their answers, and reports
// back what a delta asks for. One shadow at a time. From the worker's jobs, which take turns; what
// comes in is handled in the task net.mqtt.
#ifndef SHADOW_CLIENT_H
#define SHADOW_CLIENT_H

#include "mqtt_codec.h"
#include "shadow.h"

enum { SHADOW_STATE_BYTES = 1024 };

// The answer to a request.
typedef struct {
    bool accepted;
    uint32_t code; // of a rejection
    char message[SHADOW_MESSAGE_BYTES];
    bool has_version;
    uint32_t version;
    uint32_t state_length;          // of the whole state
    char state[SHADOW_STATE_BYTES]; // its begin, with NUL
} shadow_reply_t;

// Subscribes to a shadow's topics; any other is left. `adopts`: what a delta asks for is reported
// as done. STATUS_VALUE: a name; STATUS_REFUSED: the broker refuses a topic; as mqtt_task_topics().
status_t shadow_client_open(const char *thing, const char *name, uint8_t qos, bool adopts,
                            uint32_t wait_ms);

// Sends a request and waits for the answer that has its token; an update without one gets one.
// STATUS_ABSENT: no shadow is open. STATUS_SYNTAX: the answer is malformed, so that it is not known
// what became of the request. STATUS_TIMEOUT; as mqtt_task_publish().
status_t shadow_client_ask(shadow_request_t request, const shadow_update_t *update,
                           shadow_reply_t *reply, uint32_t wait_ms);

// Counts and version of the shadow that is open.
shadow_t shadow_client_state(void);

// Takes a message of any topic; whether it was the shadow's. The lock of the client is held.
bool shadow_client_take(const mqtt_publish_t *message);

#endif
