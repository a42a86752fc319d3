// SPDX-License-Identifier: MIT
// What the files of the session share; for nobody else.
#ifndef MQTT_SESSION_PARTS_H
#define MQTT_SESSION_PARTS_H

#include "mqtt_session.h"

// Sends all of it, or fails the link and returns false.
bool mqtt_session_write(mqtt_session_t *session, const uint8_t *bytes, size_t length);

// PUBACK, PUBREC, PUBREL or PUBCOMP.
bool mqtt_session_write_ack(mqtt_session_t *session, mqtt_type_t type, uint16_t id);

// mqtt_outgoing.c: the answer `type` to packet `id` came.
void mqtt_outgoing_answered(mqtt_session_t *session, mqtt_type_t type, uint16_t id,
                            mqtt_text_t codes);
// CONNACK came: sends again what is kept.
void mqtt_outgoing_resume(mqtt_session_t *session);
// Sends again what was not answered in time, and asks for subscriptions that the server forgot.
void mqtt_outgoing_poll(mqtt_session_t *session);

// mqtt_subscriptions.c: the answer to the SUBSCRIBE or UNSUBSCRIBE that `packet` is.
void mqtt_subscriptions_answered(mqtt_session_t *session, const uint8_t *packet, size_t length,
                                 mqtt_text_t codes);
// Whether these could be kept beside those that are.
bool mqtt_subscriptions_fit(const mqtt_session_t *session, const mqtt_topic_t *topics,
                            size_t count);
// The server has forgotten them.
void mqtt_subscriptions_lost(mqtt_session_t *session);
// Those to be asked for again, at most MQTT_MAX_TOPICS, marked as asked; returns their count.
size_t mqtt_subscriptions_wanted(mqtt_session_t *session, mqtt_topic_t *topics);

#endif
