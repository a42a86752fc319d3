// SPDX-License-Identifier: MIT
#include "mqtt_box.h"

#include "crc32.h"

#include <string.h>

static mqtt_boxed_t s_rows[MQTT_BOX_MESSAGES];
static uint32_t s_first = 1; // number of the oldest that is kept
static uint32_t s_next = 1;
static uint32_t s_dropped;

static uint32_t box_shorter(size_t length, uint32_t most)
{
    return length < most ? (uint32_t)length : most;
}

const mqtt_boxed_t *mqtt_box_put(const mqtt_publish_t *message)
{
    mqtt_boxed_t *row = &s_rows[s_next % MQTT_BOX_MESSAGES];
    if (s_next - s_first == MQTT_BOX_MESSAGES) {
        s_first++;
        s_dropped++;
    }
    row->number = s_next++;
    row->id = message->id;
    row->qos = message->qos;
    row->retain = message->retain;
    row->dup = message->dup;
    row->length = (uint32_t)message->payload.length;
    row->crc = crc32_update(0, message->payload.bytes, message->payload.length);
    row->kept = box_shorter(message->payload.length, MQTT_BOX_PAYLOAD_BYTES);
    memcpy(row->payload, message->payload.bytes, row->kept);
    row->topic_length = box_shorter(message->topic.length, MQTT_BOX_TOPIC_BYTES);
    memcpy(row->topic, message->topic.bytes, row->topic_length);
    row->topic[row->topic_length] = '\0';
    return row;
}

const mqtt_boxed_t *mqtt_box_from(uint32_t number)
{
    uint32_t wanted = number > s_first ? number : s_first;
    return wanted < s_next ? &s_rows[wanted % MQTT_BOX_MESSAGES] : NULL;
}

uint32_t mqtt_box_count(void)
{
    return s_next - 1u;
}

uint32_t mqtt_box_dropped(void)
{
    return s_dropped;
}

void mqtt_box_forget(void)
{
    s_first = s_next;
}
