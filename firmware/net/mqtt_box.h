// SPDX-License-Identifier: MIT
// The last messages that came, for whoever asks on the console: bounded, the oldest go first and
// are counted. Its owner serialises the calls.
#ifndef MQTT_BOX_H
#define MQTT_BOX_H

#include "mqtt_codec.h"

enum { MQTT_BOX_MESSAGES = 32, MQTT_BOX_TOPIC_BYTES = 256, MQTT_BOX_PAYLOAD_BYTES = 2048 };

typedef struct {
    uint32_t number; // counts messages since boot, from 1
    uint16_t id;     // packet identifier, 0 with QoS 0
    uint8_t qos;
    bool retain, dup;
    uint32_t length;       // of the whole payload
    uint32_t crc;          // CRC-32 of the whole payload
    uint32_t kept;         // bytes of it in `payload`
    uint32_t topic_length; // of the topic's begin in `topic`, which ends with NUL
    char topic[MQTT_BOX_TOPIC_BYTES + 1];
    uint8_t payload[MQTT_BOX_PAYLOAD_BYTES];
} mqtt_boxed_t;

// Keeps a message; returns its row.
const mqtt_boxed_t *mqtt_box_put(const mqtt_publish_t *message);

// The first kept message whose number is `number` or more, or NULL.
const mqtt_boxed_t *mqtt_box_from(uint32_t number);

// How many came, and how many of them went before mqtt_box_forget() let them go.
uint32_t mqtt_box_count(void);
uint32_t mqtt_box_dropped(void);

// Lets all go. Numbers go on.
void mqtt_box_forget(void);

#endif
