// SPDX-License-Identifier: MIT
#include "shadow_client.h"

#include "crc32.h"
#include "mqtt_task.h"
#include "writer.h"

#include <string.h>

enum { DOCUMENT_BYTES = 2048 };

static shadow_t s_shadow;
static bool s_open, s_adopts;
static uint8_t s_qos;
static uint32_t s_tokens; // given out since boot

// Whoever waits, and what for. Under the client's lock.
static char s_wanted[SHADOW_TOKEN_BYTES];
static bool s_answered;
static shadow_reply_t s_reply;
static status_t s_reply_status;

// ---- what comes --------------------------------------------------------------------------------

static const char *shadow_kind_word(shadow_kind_t kind)
{
    static const char *const s_words[SHADOW_TOPICS] = {
        "get.accepted", "get.rejected",     "update.accepted", "update.rejected",
        "delta",        "update.documents", "delete.accepted", "delete.rejected",
    };
    return s_words[kind];
}

static void shadow_say(const shadow_answer_t *answer, status_t status)
{
    line_t line;
    char state[160]; // a longer one is told by its length and check value alone
    bool fits = answer->state.length > 0u && answer->state.length < sizeof state;
    memcpy(state, fits ? answer->state.text : "", fits ? answer->state.length : 0u);
    state[fits ? answer->state.length : 0u] = '\0';
    writer_begin_event(&line, "shadow.message");
    line_add_text(&line, "kind", shadow_kind_word(answer->kind));
    line_add_text(&line, "outcome", status == STATUS_RANGE ? "old" : status_word(status));
    line_add_u32(&line, "version", answer->version);
    line_add_u32(&line, "code", answer->code);
    line_add_text(&line, "token", answer->token);
    line_add_u32(&line, "length", (uint32_t)answer->state.length);
    line_add_hex(&line, "crc", crc32_update(0, answer->state.text, answer->state.length), 8);
    line_add_text(&line, "state", state);
    writer_send_event(&line);
}

static bool shadow_ends_request(const shadow_answer_t *answer)
{
    bool reply = answer->kind != SHADOW_UPDATE_DELTA && answer->kind != SHADOW_UPDATE_DOCUMENTS;
    return reply && s_wanted[0] != '\0' && strcmp(answer->token, s_wanted) == 0;
}

// What is malformed ends the request as well: no better answer will come.
static void shadow_keep_reply(const shadow_answer_t *answer, status_t status)
{
    size_t length = answer->state.length;
    size_t kept = length < SHADOW_STATE_BYTES ? length : SHADOW_STATE_BYTES - 1u;
    s_reply = (shadow_reply_t){
        .accepted = !answer->rejected,
        .code = answer->code,
        .has_version = answer->has_version,
        .version = answer->version,
        .state_length = (uint32_t)length,
    };
    strcpy(s_reply.message, answer->message);
    if (kept > 0u) {
        memcpy(s_reply.state, answer->state.text, kept);
    }
    s_reply_status = status;
    s_answered = true;
}

// Reports as done what a delta asks for: this board's application does whatever it is told.
static void shadow_adopt(const shadow_answer_t *answer)
{
    static char s_document[DOCUMENT_BYTES];
    char topic[SHADOW_TOPIC_BYTES];
    shadow_update_t update = {.reported_part = answer->state};
    int length = shadow_write_update(&update, s_document, sizeof s_document);
    if (length < 0 || shadow_request_topic(&s_shadow, SHADOW_UPDATE, topic, sizeof topic) < 0) {
        s_shadow.counts.malformed++;
        return;
    }
    mqtt_message_t message = {
        .topic = mqtt_text(topic),
        .qos = s_qos,
        .payload = (const uint8_t *)s_document,
        .length = (uint32_t)length,
    };
    (void)mqtt_session_publish(&mqtt_task_client()->session, &message, mqtt_port_now_ms());
}

bool shadow_client_take(const mqtt_publish_t *message)
{
    shadow_answer_t answer;
    status_t status =
        s_open ? shadow_take(&s_shadow, message->topic, message->payload, &answer) : STATUS_UNKNOWN;
    if (status == STATUS_UNKNOWN) {
        return false;
    }
    if (status != STATUS_RANGE && shadow_ends_request(&answer)) {
        shadow_keep_reply(&answer, status);
    }
    if (status == STATUS_OK && answer.kind == SHADOW_UPDATE_DELTA && s_adopts) {
        shadow_adopt(&answer);
    }
    shadow_say(&answer, status);
    return true;
}

// ---- what is asked for -------------------------------------------------------------------------

static void shadow_set(const shadow_t *shadow, bool open, uint8_t qos, bool adopts)
{
    mqtt_port_lock();
    s_open = open;
    s_qos = qos;
    s_adopts = adopts;
    if (open) {
        s_shadow = *shadow;
    }
    mqtt_port_unlock();
}

static size_t shadow_make_topics(const shadow_t *shadow, uint8_t qos,
                                 char texts[SHADOW_TOPICS][SHADOW_TOPIC_BYTES],
                                 mqtt_topic_t topics[SHADOW_TOPICS])
{
    for (int kind = 0; kind < SHADOW_TOPICS; kind++) {
        (void)shadow_kind_topic(shadow, (shadow_kind_t)kind, texts[kind], SHADOW_TOPIC_BYTES);
        topics[kind] = (mqtt_topic_t){mqtt_text(texts[kind]), qos};
    }
    return SHADOW_TOPICS;
}

static status_t shadow_topics(const shadow_t *shadow, mqtt_type_t type, uint8_t qos,
                              uint32_t wait_ms)
{
    static char s_texts[SHADOW_TOPICS][SHADOW_TOPIC_BYTES];
    mqtt_topic_t topics[SHADOW_TOPICS];
    mqtt_result_t result = {.count = 0};
    size_t count = shadow_make_topics(shadow, qos, s_texts, topics);
    int32_t id = mqtt_task_topics(type, topics, count, &result, wait_ms);
    for (uint8_t i = 0; i < result.count && id > 0; i++) {
        id = result.codes[i] == MQTT_SUBACK_FAILED ? STATUS_REFUSED : id;
    }
    return id < 0 ? (status_t)id : STATUS_OK;
}

status_t shadow_client_open(const char *thing, const char *name, uint8_t qos, bool adopts,
                            uint32_t wait_ms)
{
    shadow_t shadow;
    status_t status = shadow_init(&shadow, thing, name);
    if (status != STATUS_OK) {
        return status;
    }
    bool other = s_open && (strcmp(s_shadow.thing, thing) != 0 || strcmp(s_shadow.name, name) != 0);
    if (other) {
        status = shadow_topics(&s_shadow, MQTT_UNSUBSCRIBE, 0, wait_ms);
    }
    shadow_set(&shadow, status == STATUS_OK, qos, adopts);
    return status == STATUS_OK ? shadow_topics(&shadow, MQTT_SUBSCRIBE, qos, wait_ms) : status;
}

// "rig-<n>": another one for every request since boot.
static void shadow_make_token(char token[SHADOW_TOKEN_BYTES])
{
    memcpy(token, "rig-", 4);
    (void)line_format_u32(++s_tokens, token + 4);
}

static void shadow_want(const char *token)
{
    size_t length = strlen(token);
    length = length < SHADOW_TOKEN_BYTES ? length : SHADOW_TOKEN_BYTES - 1u;
    mqtt_port_lock();
    memcpy(s_wanted, token, length);
    s_wanted[length] = '\0';
    s_answered = false;
    mqtt_port_unlock();
}

// STATUS_TIMEOUT so far: there is no answer yet. STATUS_CLOSED: and none can come.
static status_t shadow_outcome(shadow_reply_t *reply)
{
    mqtt_port_lock();
    bool at_rest = mqtt_client_is_at_rest(mqtt_task_client());
    status_t status = s_answered ? s_reply_status : at_rest ? STATUS_CLOSED : STATUS_TIMEOUT;
    if (s_answered) {
        *reply = s_reply;
    }
    mqtt_port_unlock();
    return status;
}

static status_t shadow_wait(shadow_reply_t *reply, TickType_t deadline)
{
    status_t status = shadow_outcome(reply);
    while (status == STATUS_TIMEOUT && mqtt_task_rest(deadline)) {
        status = shadow_outcome(reply);
    }
    return status;
}

status_t shadow_client_ask(shadow_request_t request, const shadow_update_t *update,
                           shadow_reply_t *reply, uint32_t wait_ms)
{
    static char s_document[DOCUMENT_BYTES];
    char topic[SHADOW_TOPIC_BYTES], made[SHADOW_TOKEN_BYTES];
    TickType_t deadline = mqtt_task_deadline(wait_ms);
    shadow_update_t asked = *update;
    if (!s_open) {
        return STATUS_ABSENT;
    }
    if (asked.token == NULL || asked.token[0] == '\0') {
        shadow_make_token(made);
        asked.token = made;
    }
    int length = request == SHADOW_UPDATE
                     ? shadow_write_update(&asked, s_document, sizeof s_document)
                     : shadow_write_token(asked.token, s_document, sizeof s_document);
    if (length < 0) {
        return (status_t)length;
    }
    (void)shadow_request_topic(&s_shadow, request, topic, sizeof topic);
    shadow_want(asked.token);
    mqtt_message_t message = {
        .topic = mqtt_text(topic),
        .qos = s_qos,
        .payload = (const uint8_t *)s_document,
        .length = (uint32_t)length,
    };
    int32_t id = mqtt_task_publish(&message, wait_ms);
    return id < 0 ? (status_t)id : shadow_wait(reply, deadline);
}

shadow_t shadow_client_state(void)
{
    mqtt_port_lock();
    shadow_t state = s_shadow;
    mqtt_port_unlock();
    return state;
}
