// SPDX-License-Identifier: MIT
// Defects of the MQTT, shadow and discovery clients, by the rules of defects.c. Never part of a
// product build. Headers are included inside the defects: an image without network has none.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef RIG_DEFECT_MQTT_NO_DUP // a message that is sent again does not say so
    #include "mqtt_session_parts.h"
bool __real_mqtt_session_write(mqtt_session_t *session, const uint8_t *bytes, size_t length);
bool __wrap_mqtt_session_write(mqtt_session_t *session, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < MQTT_IN_FLIGHT; i++) {
        mqtt_slot_t *slot = &session->slots[i];
        if (bytes == slot->packet && slot->packet[0] >> 4 == MQTT_PUBLISH) {
            slot->packet[0] &= (uint8_t)~MQTT_FLAG_DUP;
        }
    }
    return __real_mqtt_session_write(session, bytes, length);
}
#endif

#if defined(RIG_DEFECT_MQTT_NO_BACK_OFF) || defined(RIG_DEFECT_MQTT_NO_JITTER)
    #include "mqtt_backoff.h"
bool __real_mqtt_backoff_next(mqtt_backoff_t *backoff, const mqtt_retry_t *retry, uint32_t random,
                              uint32_t *wait_ms);
bool __wrap_mqtt_backoff_next(mqtt_backoff_t *backoff, const mqtt_retry_t *retry, uint32_t random,
                              uint32_t *wait_ms)
{
    #ifdef RIG_DEFECT_MQTT_NO_JITTER // every wait is the whole window
    return __real_mqtt_backoff_next(backoff, retry, UINT32_MAX, wait_ms);
    #else // every wait is drawn from the first window
    bool again = __real_mqtt_backoff_next(backoff, retry, random, wait_ms);
    *wait_ms = (uint32_t)(((uint64_t)retry->base_ms + 1u) * random >> 32);
    return again;
    #endif
}
#endif

#ifdef RIG_DEFECT_MQTT_UNSTABLE_FORGIVEN // any connection ends the back-off, however short
    #include "mqtt_backoff.h"
void __wrap_mqtt_backoff_connected(mqtt_backoff_t *backoff, const mqtt_retry_t *retry,
                                   uint32_t lasted_ms)
{
    (void)retry;
    (void)lasted_ms;
    backoff->done = 0;
}
#endif

#if defined(RIG_DEFECT_MQTT_KEEP_ALIVE_IGNORED) || defined(RIG_DEFECT_MQTT_PING_UNANSWERED) ||     \
    defined(RIG_DEFECT_MQTT_NO_RESEND)
    #include "mqtt_session.h"
void __real_mqtt_session_poll(mqtt_session_t *session, uint32_t now_ms);
void __wrap_mqtt_session_poll(mqtt_session_t *session, uint32_t now_ms)
{
    #ifdef RIG_DEFECT_MQTT_KEEP_ALIVE_IGNORED // never a ping
    session->last_sent_ms = session->last_heard_ms = now_ms;
    #endif
    #ifdef RIG_DEFECT_MQTT_PING_UNANSWERED // a ping without an answer is borne for ever
    session->timing.pingresp_ms = 0;
    #endif
    #ifdef RIG_DEFECT_MQTT_NO_RESEND // an answer that does not come is waited for for ever
    session->timing.ack_ms = 0;
    #endif
    __real_mqtt_session_poll(session, now_ms);
}
#endif

#if defined(RIG_DEFECT_MQTT_SESSION_LOST) || defined(RIG_DEFECT_MQTT_WILL_LOST)
    #include "mqtt_codec.h"
int32_t __real_mqtt_encode_connect(const mqtt_connect_t *connect, uint8_t *out, size_t size);
int32_t __wrap_mqtt_encode_connect(const mqtt_connect_t *connect, uint8_t *out, size_t size)
{
    mqtt_connect_t other = *connect;
    #ifdef RIG_DEFECT_MQTT_SESSION_LOST // every connection begins a session anew
    other.clean = true;
    #else // the will is not handed in
    other.has_will = false;
    #endif
    return __real_mqtt_encode_connect(&other, out, size);
}
#endif

#ifdef RIG_DEFECT_MQTT_RETAIN_LOST // nothing is published to be kept
    #include "mqtt_codec.h"
int32_t __real_mqtt_encode_publish(const mqtt_publish_t *publish, uint8_t *out, size_t size);
int32_t __wrap_mqtt_encode_publish(const mqtt_publish_t *publish, uint8_t *out, size_t size)
{
    mqtt_publish_t other = *publish;
    other.retain = false;
    return __real_mqtt_encode_publish(&other, out, size);
}
#endif

#ifdef RIG_DEFECT_MQTT_QOS_LOST // QoS 1 is asked for, QoS 0 is sent
    #include "mqtt_session.h"
int32_t __real_mqtt_session_publish(mqtt_session_t *session, const mqtt_message_t *message,
                                    uint32_t now_ms);
int32_t __wrap_mqtt_session_publish(mqtt_session_t *session, const mqtt_message_t *message,
                                    uint32_t now_ms)
{
    mqtt_message_t other = *message;
    other.qos = 0;
    return __real_mqtt_session_publish(session, &other, now_ms);
}
#endif

#if defined(RIG_DEFECT_MQTT_PUBACK_EARLY) || defined(RIG_DEFECT_MQTT_TOLD_TWICE)
    #include "mqtt_session_parts.h"
    #include "mqtt_task.h"
status_t __real_mqtt_decode_publish(const mqtt_header_t *header, const uint8_t *body, size_t length,
                                    mqtt_publish_t *publish);
status_t __wrap_mqtt_decode_publish(const mqtt_header_t *header, const uint8_t *body, size_t length,
                                    mqtt_publish_t *publish)
{
    status_t status = __real_mqtt_decode_publish(header, body, length, publish);
    #ifdef RIG_DEFECT_MQTT_PUBACK_EARLY // a message is acknowledged before it is handed on
    if (status == STATUS_OK && publish->qos == 1u) {
        (void)mqtt_session_write_ack(&mqtt_task_client()->session, MQTT_PUBACK, publish->id);
    }
    #else // a repeat is taken for a new message
    publish->dup = false;
    #endif
    return status;
}
#endif

#ifdef RIG_DEFECT_MQTT_NOT_RESUBSCRIBED // what the broker forgot is not asked for again
    #include "mqtt_session_parts.h"
size_t __wrap_mqtt_subscriptions_wanted(mqtt_session_t *session, mqtt_topic_t *topics)
{
    (void)session;
    (void)topics;
    return 0;
}
#endif

#ifdef RIG_DEFECT_MQTT_LEAK // every connection takes a little heap and keeps it
    #include "kernel_compat.h"
    #include "mqtt_client.h"
status_t __real_mqtt_port_open(TransportInterface_t *transport);
status_t __wrap_mqtt_port_open(TransportInterface_t *transport)
{
    (void)pvPortMalloc(48);
    return __real_mqtt_port_open(transport);
}
#endif

#ifdef RIG_DEFECT_SHADOW_VERSION_IGNORED // an older message counts as much as a newer one
    #include "shadow.h"
status_t __real_shadow_take(shadow_t *shadow, mqtt_text_t topic, mqtt_text_t payload,
                            shadow_answer_t *answer);
status_t __wrap_shadow_take(shadow_t *shadow, mqtt_text_t topic, mqtt_text_t payload,
                            shadow_answer_t *answer)
{
    shadow->known = false;
    return __real_shadow_take(shadow, topic, payload, answer);
}
#endif

#ifdef RIG_DEFECT_SHADOW_NOT_ADOPTED // a delta is reported as done with nothing in it
    #include "shadow.h"
int __real_shadow_write_update(const shadow_update_t *update, char *out, size_t size);
int __wrap_shadow_write_update(const shadow_update_t *update, char *out, size_t size)
{
    shadow_update_t other = *update;
    if (other.reported_part.length > 0u) {
        other.reported_part.length = 0;
        other.reported = "{}";
    }
    return __real_shadow_write_update(&other, out, size);
}
#endif

#ifdef RIG_DEFECT_DISCOVERY_CUT // of a long text the last character is lost
    #include "json.h"
int __real_json_string(json_t value, char *out, size_t size);
int __wrap_json_string(json_t value, char *out, size_t size)
{
    int length = __real_json_string(value, out, size);
    return length > 200 ? length - 1 : length;
}
#endif
