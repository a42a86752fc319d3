// SPDX-License-Identifier: MIT
// The filters that a session is subscribed to, so that they can be asked for again.
#include "mqtt_session_parts.h"

#include <string.h>

static mqtt_subscription_t *subscriptions_find(mqtt_session_t *session, mqtt_text_t filter)
{
    for (size_t i = 0; i < MQTT_SUBSCRIPTIONS; i++) {
        mqtt_subscription_t *row = &session->subscriptions[i];
        if (row->length == filter.length &&
            (filter.length == 0u || memcmp(row->filter, filter.bytes, filter.length) == 0)) {
            return row;
        }
    }
    return NULL;
}

bool mqtt_subscriptions_fit(const mqtt_session_t *session, const mqtt_topic_t *topics, size_t count)
{
    size_t free_rows = 0;
    for (size_t i = 0; i < MQTT_SUBSCRIPTIONS; i++) {
        free_rows += session->subscriptions[i].length == 0u ? 1u : 0u;
    }
    for (size_t i = 0; i < count; i++) {
        if (topics[i].filter.length > MQTT_FILTER_BYTES) {
            return false;
        }
        if (subscriptions_find((mqtt_session_t *)session, topics[i].filter) == NULL) {
            if (free_rows == 0u) {
                return false;
            }
            free_rows--;
        }
    }
    return true;
}

// `qos` is what was asked for. A filter that finds no place, because several SUBSCRIBEs were under
// way at once, is not asked for again.
static void subscriptions_set(mqtt_session_t *session, mqtt_text_t filter, uint8_t code,
                              uint8_t qos)
{
    mqtt_subscription_t *row = subscriptions_find(session, filter);
    if (row == NULL && code != MQTT_SUBACK_FAILED) {
        row = subscriptions_find(session, (mqtt_text_t){NULL, 0});
    }
    if (row == NULL) {
        return;
    }
    row->length = code != MQTT_SUBACK_FAILED ? filter.length : 0u;
    row->asked = true;
    row->qos = qos;
    if (row->length > 0u) {
        memcpy(row->filter, filter.bytes, filter.length);
    }
}

// The packet is one that mqtt_encode_topics() wrote.
void mqtt_subscriptions_answered(mqtt_session_t *session, const uint8_t *packet, size_t length,
                                 mqtt_text_t codes)
{
    bool subscribe = packet[0] >> 4 == MQTT_SUBSCRIBE;
    size_t at = 1;
    while ((packet[at] & 0x80u) != 0u) {
        at++;
    }
    at += 3u; // the length's last byte, and the identifier
    for (size_t i = 0; at + 2u <= length; i++) {
        mqtt_text_t filter = {packet + at + 2u, (size_t)(packet[at] << 8 | packet[at + 1u])};
        uint8_t code = subscribe && i < codes.length ? codes.bytes[i] : MQTT_SUBACK_FAILED;
        at += 2u + filter.length;
        subscriptions_set(session, filter, code, subscribe ? packet[at] : 0u);
        at += subscribe ? 1u : 0u;
    }
}

void mqtt_subscriptions_lost(mqtt_session_t *session)
{
    for (size_t i = 0; i < MQTT_SUBSCRIPTIONS; i++) {
        session->subscriptions[i].asked = false;
    }
}

size_t mqtt_subscriptions_wanted(mqtt_session_t *session, mqtt_topic_t *topics)
{
    size_t count = 0;
    for (size_t i = 0; i < MQTT_SUBSCRIPTIONS && count < MQTT_MAX_TOPICS; i++) {
        mqtt_subscription_t *row = &session->subscriptions[i];
        if (row->length > 0u && !row->asked) {
            row->asked = true;
            topics[count++] = (mqtt_topic_t){{row->filter, row->length}, row->qos};
        }
    }
    return count;
}
