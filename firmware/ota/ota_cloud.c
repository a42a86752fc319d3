// SPDX-License-Identifier: MIT
#include "ota_cloud.h"

#include "line.h"
#include "mqtt_task.h"
#include "net_task.h"
#include "net_work.h"
#include "ota_slot.h"
#include "ota_task.h"
#include "ota_text.h"

#include <string.h>

enum { TOPIC_BYTES = 320, FILTERS = 5, PAYLOAD_BYTES = 512 };

// Under the client's lock, but for the thing, which changes only while nothing is sent.
static char s_thing[OTA_THING_BYTES];
static ota_mail_t s_mail;
static ota_cloud_counts_t s_counts;
static uint32_t s_tokens;

// Blocks in their places: s_oldest and the s_held ones behind it, in turn.
static uint32_t s_arena[OTA_REQUEST_BYTES_MOST / 4] NET_UNINITIALISED;
static ota_block_t s_blocks[OTA_REQUEST_BLOCKS_MOST];
static uint32_t s_places, s_oldest, s_held, s_block_bytes;
static ota_encoding_t s_encoding;
static char s_stream[OTA_NAME_BYTES]; // whose blocks those are

// ---- topics ------------------------------------------------------------------------------------

static int cloud_topic(const char *rest, const char *name, const char *end, char out[TOPIC_BYTES])
{
    ota_text_t text = {out, TOPIC_BYTES, 0};
    ota_text_add(&text, "$aws/things/");
    ota_text_add(&text, s_thing);
    ota_text_add(&text, rest);
    ota_text_add(&text, name);
    ota_text_add(&text, end);
    return ota_text_end(&text);
}

static bool cloud_is_thing(const char *thing)
{
    static const char s_allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789:_-";
    size_t length = strlen(thing);
    return length > 0u && length < OTA_THING_BYTES && thing[strspn(thing, s_allowed)] == '\0';
}

typedef struct {
    uint32_t wait_ms;
} subscribe_job_t;

static int cloud_subscribe_job(void *argument)
{
    static const char *const s_rests[FILTERS] = {
        "/jobs/notify-next", "/jobs/start-next/+",    "/jobs/+/update/+",
        "/streams/+/data/+", "/streams/+/rejected/+",
    };
    static char s_texts[FILTERS][TOPIC_BYTES];
    mqtt_topic_t topics[FILTERS];
    mqtt_result_t result = {.count = 0};
    for (size_t i = 0; i < FILTERS; i++) {
        (void)cloud_topic(s_rests[i], "", "", s_texts[i]);
        topics[i] = (mqtt_topic_t){mqtt_text(s_texts[i]), i < 3u ? 1u : 0u};
    }
    int32_t id = mqtt_task_topics(MQTT_SUBSCRIBE, topics, FILTERS, &result,
                                  ((subscribe_job_t *)argument)->wait_ms);
    for (uint8_t i = 0; i < result.count && id > 0; i++) {
        id = result.codes[i] == MQTT_SUBACK_FAILED ? STATUS_REFUSED : id;
    }
    return id < 0 ? (int)id : STATUS_OK;
}

status_t ota_cloud_subscribe(const char *thing, uint32_t wait_ms)
{
    subscribe_job_t job = {wait_ms};
    if (!cloud_is_thing(thing)) {
        return STATUS_VALUE;
    }
    mqtt_port_lock();
    memcpy(s_thing, thing, strlen(thing) + 1u);
    memset(&s_mail, 0, sizeof s_mail);
    mqtt_port_unlock();
    return (status_t)net_work_run(cloud_subscribe_job, &job);
}

bool ota_cloud_is_up(uint32_t *connection)
{
    mqtt_port_lock();
    const mqtt_client_t *client = mqtt_task_client();
    bool up = client->phase == MQTT_RUNNING && client->session.link == MQTT_LINK_UP;
    *connection = client->session.counts.accepted;
    mqtt_port_unlock();
    return up;
}

// ---- what comes --------------------------------------------------------------------------------

// Whether a text begins so; *rest is what stands behind.
static bool cloud_begins(mqtt_text_t text, const char *begin, mqtt_text_t *rest)
{
    size_t length = strlen(begin);
    if (text.length < length || memcmp(text.bytes, begin, length) != 0) {
        return false;
    }
    *rest = (mqtt_text_t){text.bytes + length, text.length - length};
    return true;
}

static bool cloud_is(mqtt_text_t text, const char *word)
{
    mqtt_text_t rest;
    return cloud_begins(text, word, &rest) && rest.length == 0u;
}

// Lets the next level of a topic by; *level is what it was.
static bool cloud_skip_level(mqtt_text_t *text, mqtt_text_t *level)
{
    const uint8_t *slash = memchr(text->bytes, '/', text->length);
    if (slash == NULL) {
        return false;
    }
    *level = (mqtt_text_t){text->bytes, (size_t)(slash - text->bytes)};
    text->length -= level->length;
    text->bytes = slash;
    return true;
}

static void cloud_take_job(mqtt_text_t payload)
{
    int outcome = ota_job_read(payload.bytes, payload.length,
                               ota_slot_target() == OTA_SLOT_B ? 1 : 0, &s_mail.job, &s_mail.fault);
    s_mail.job_came = outcome != STATUS_SYNTAX;
    s_mail.job_outcome = outcome;
    s_counts.malformed += outcome == STATUS_SYNTAX ? 1u : 0u;
}

static void cloud_take_notice(mqtt_text_t payload)
{
    static ota_job_t s_job;
    ota_fault_t fault;
    int outcome = ota_job_read(payload.bytes, payload.length, 0, &s_job, &fault);
    if (outcome == STATUS_SYNTAX) {
        s_counts.malformed++;
        s_mail.notified_badly = true;
        return;
    }
    s_mail.notified = true;
    memcpy(s_mail.notified_id, s_job.id, sizeof s_mail.notified_id);
}

static void cloud_take_answer(mqtt_text_t payload, bool accepted)
{
    s_mail.answered = true;
    s_mail.accepted = accepted;
    ota_job_read_answer(payload.bytes, payload.length, &s_mail.answer);
}

static void cloud_take_block(mqtt_text_t payload)
{
    if (s_held == s_places || s_block_bytes == 0u) {
        s_counts.dropped++;
        return;
    }
    uint32_t place = (s_oldest + s_held) % s_places;
    uint8_t *at = (uint8_t *)s_arena + place * s_block_bytes;
    if (ota_stream_block(s_encoding, payload.bytes, payload.length, &s_blocks[place], at,
                         s_block_bytes) == STATUS_OK) {
        s_held++;
    } else {
        s_counts.malformed++;
    }
}

static bool cloud_take_jobs(mqtt_text_t topic, mqtt_text_t payload)
{
    if (cloud_is(topic, "notify-next")) {
        cloud_take_notice(payload);
    } else if (cloud_is(topic, "start-next/accepted")) {
        cloud_take_job(payload);
    } else if (!cloud_is(topic, "start-next/rejected")) { // that one is as good as silence
        mqtt_text_t job;
        bool update = cloud_skip_level(&topic, &job);
        bool accepted = update && cloud_is(topic, "/update/accepted");
        if (accepted || (update && cloud_is(topic, "/update/rejected"))) {
            cloud_take_answer(payload, accepted);
        }
    }
    return true;
}

// What comes of a stream that nobody asks any more is late: of a job that was canceled.
static bool cloud_take_streams(mqtt_text_t topic, mqtt_text_t payload)
{
    mqtt_text_t stream, rest;
    if (!cloud_skip_level(&topic, &stream) || !cloud_is(stream, s_stream)) {
        s_counts.dropped++;
    } else if (cloud_begins(topic, "/data/", &rest)) {
        cloud_take_block(payload);
    } else if (cloud_begins(topic, "/rejected/", &rest)) {
        s_mail.stream_rejected = true;
        ota_stream_rejection(cloud_is(rest, "json") ? OTA_JSON : OTA_CBOR, payload.bytes,
                             payload.length, s_mail.stream_code);
    }
    return true;
}

bool ota_cloud_take(const mqtt_publish_t *message)
{
    mqtt_text_t rest, tail;
    if (s_thing[0] == '\0' || !cloud_begins(message->topic, "$aws/things/", &rest) ||
        !cloud_begins(rest, s_thing, &rest)) {
        return false;
    }
    bool taken =
        cloud_begins(rest, "/jobs/", &tail)
            ? cloud_take_jobs(tail, message->payload)
            : cloud_begins(rest, "/streams/", &tail) && cloud_take_streams(tail, message->payload);
    if (taken) {
        ota_task_wake();
    }
    return taken;
}

void ota_cloud_fetch(ota_mail_t *mail)
{
    mqtt_port_lock();
    *mail = s_mail;
    s_mail.job_came = s_mail.notified = s_mail.notified_badly = false;
    s_mail.answered = s_mail.stream_rejected = false;
    mqtt_port_unlock();
}

ota_cloud_counts_t ota_cloud_counts(void)
{
    return s_counts;
}

// ---- blocks ------------------------------------------------------------------------------------

bool ota_cloud_block(ota_block_t *block, uint32_t **words)
{
    mqtt_port_lock();
    bool some = s_held > 0u;
    *block = s_blocks[s_oldest];
    *words = s_arena + s_oldest * s_block_bytes / 4u;
    mqtt_port_unlock();
    return some;
}

void ota_cloud_drop_block(void)
{
    mqtt_port_lock();
    s_oldest = (s_oldest + 1u) % s_places;
    s_held--;
    mqtt_port_unlock();
}

static void cloud_make_room(const char *stream, uint32_t places, uint32_t block_bytes,
                            ota_encoding_t encoding)
{
    mqtt_port_lock();
    memcpy(s_stream, stream, strlen(stream) + 1u);
    s_places = places;
    s_block_bytes = block_bytes;
    s_encoding = encoding;
    s_oldest = s_held = 0;
    mqtt_port_unlock();
}

void ota_cloud_drop_blocks(void)
{
    cloud_make_room("", 0, 0, OTA_JSON);
}

uint32_t *ota_cloud_arena(void)
{
    return s_arena;
}

// ---- what is sent ------------------------------------------------------------------------------

// "rig-<n>": another one for every request since boot.
static void cloud_make_token(char token[OTA_TOKEN_BYTES])
{
    memcpy(token, "rig-", 4);
    (void)line_format_u32(++s_tokens, token + 4);
}

static int32_t cloud_publish(const char *topic, const void *payload, int length, uint8_t qos)
{
    mqtt_message_t message = {
        .topic = mqtt_text(topic),
        .qos = qos,
        .payload = payload,
        .length = (uint32_t)length,
    };
    return length < 0 ? length : mqtt_task_publish(&message, 0);
}

static status_t cloud_status(int32_t id)
{
    return id < 0 ? (status_t)id : STATUS_OK;
}

status_t ota_cloud_ask(void)
{
    char topic[TOPIC_BYTES], token[OTA_TOKEN_BYTES], payload[PAYLOAD_BYTES];
    ota_text_t text = {payload, sizeof payload, 0};
    cloud_make_token(token);
    ota_text_add(&text, "{\"clientToken\":\"");
    ota_text_add(&text, token);
    ota_text_add(&text, "\"}");
    (void)cloud_topic("/jobs/start-next", "", "", topic);
    return cloud_status(cloud_publish(topic, payload, ota_text_end(&text), 0));
}

status_t ota_cloud_request(const char *stream, ota_encoding_t encoding,
                           const ota_request_t *request)
{
    static uint8_t s_payload[OTA_REQUEST_TEXT_BYTES];
    char topic[TOPIC_BYTES], token[OTA_TOKEN_BYTES];
    ota_request_t asked = *request;
    uint32_t most = OTA_REQUEST_BYTES_MOST / request->block_bytes;
    cloud_make_token(token);
    asked.token = token;
    cloud_make_room(stream, most < OTA_REQUEST_BLOCKS_MOST ? most : OTA_REQUEST_BLOCKS_MOST,
                    request->block_bytes, encoding);
    (void)cloud_topic("/streams/", stream, encoding == OTA_JSON ? "/get/json" : "/get/cbor", topic);
    int length = ota_stream_request(&asked, encoding, s_payload, sizeof s_payload);
    return cloud_status(cloud_publish(topic, s_payload, length, 0));
}

status_t ota_cloud_report(const char *job, ota_report_t *report, char token[OTA_TOKEN_BYTES],
                          uint8_t qos, uint16_t *packet)
{
    char topic[TOPIC_BYTES], payload[PAYLOAD_BYTES];
    cloud_make_token(token);
    report->token = token;
    (void)cloud_topic("/jobs/", job, "/update", topic);
    int32_t id =
        cloud_publish(topic, payload, ota_report_write(report, payload, sizeof payload), qos);
    *packet = id > 0 ? (uint16_t)id : 0u;
    return cloud_status(id);
}

void ota_cloud_flush(uint16_t packet, uint32_t wait_ms)
{
    TickType_t deadline = mqtt_task_deadline(wait_ms);
    mqtt_result_t result;
    int outcome = packet == 0u ? 1 : 0;
    while (outcome == 0 && (int32_t)(deadline - xTaskGetTickCount()) > 0) {
        vTaskDelay(1);
        mqtt_port_lock();
        outcome = mqtt_session_result(&mqtt_task_client()->session, packet, &result);
        mqtt_port_unlock();
    }
}
