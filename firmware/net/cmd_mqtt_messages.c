// SPDX-License-Identifier: MIT
// Commands of the MQTT client that send, and those about messages that came.
#include "commands_table.h"
#include "console.h"
#include "hex.h"
#include "mqtt_box.h"
#include "mqtt_task.h"
#include "net_work.h"
#include "ota_cloud.h"
#include "shadow_client.h"
#include "writer.h"

#include <string.h>

// ---- messages that came ------------------------------------------------------------------------

static void mqtt_add_message(line_t *line, const mqtt_boxed_t *row)
{
    line_add_u32(line, "number", row->number);
    line_add_u32(line, "id", row->id);
    line_add_u32(line, "qos", row->qos);
    line_add_u32(line, "retain", row->retain ? 1 : 0);
    line_add_u32(line, "dup", row->dup ? 1 : 0);
    line_add_u32(line, "length", row->length);
    line_add_hex(line, "crc", row->crc, 8);
    line_add_text(line, "topic", row->topic);
}

// In the task net.mqtt; the lock is held.
void mqtt_task_on_message(void *owner, const mqtt_publish_t *message)
{
    line_t line;
    (void)owner;
    if (shadow_client_take(message) || ota_cloud_take(message)) {
        return;
    }
    const mqtt_boxed_t *row = mqtt_box_put(message);
    writer_begin_event(&line, "mqtt.message");
    mqtt_add_message(&line, row);
    writer_send_event(&line);
}

void command_mqtt_messages(const command_call_t *call, reply_t *reply)
{
    uint32_t number = (uint32_t)call->values[ARG_MQTT_MESSAGES_FROM].number;
    uint32_t rows = 0;
    mqtt_task_prepare();
    mqtt_port_lock();
    const mqtt_boxed_t *row;
    while ((row = mqtt_box_from(number)) != NULL) {
        mqtt_add_message(reply_data(reply), row);
        reply_send(reply);
        number = row->number + 1u;
        rows++;
    }
    mqtt_port_unlock();
    line_t *line = reply_ok(reply);
    line_add_u32(line, "rows", rows);
    line_add_u32(line, "count", mqtt_box_count());
    line_add_u32(line, "dropped", mqtt_box_dropped());
    reply_send(reply);
}

void command_mqtt_payload(const command_call_t *call, reply_t *reply)
{
    uint32_t number = (uint32_t)call->values[ARG_MQTT_PAYLOAD_NUMBER].number;
    uint32_t offset = (uint32_t)call->values[ARG_MQTT_PAYLOAD_OFFSET].number;
    char text[HEX_TEXT_BYTES];
    mqtt_task_prepare();
    mqtt_port_lock();
    const mqtt_boxed_t *row = mqtt_box_from(number);
    bool here = row != NULL && row->number == number && offset <= row->kept;
    if (here) {
        uint32_t left = row->kept - offset;
        hex_format(row->payload + offset, left < HEX_MOST_BYTES ? left : HEX_MOST_BYTES, text);
    }
    uint32_t length = here ? row->length : 0u;
    uint32_t kept = here ? row->kept : 0u;
    mqtt_port_unlock();
    if (!here) {
        reply_error(reply, status_word(STATUS_UNKNOWN), "number");
        return;
    }
    line_t *line = reply_ok(reply);
    line_add_u32(line, "length", length);
    line_add_u32(line, "kept", kept);
    line_add_text(line, "data", text);
    reply_send(reply);
}

// ---- publish -----------------------------------------------------------------------------------

typedef struct {
    mqtt_message_t message;
    uint8_t bytes[HEX_MOST_BYTES];
    uint32_t wait_ms;
} publish_job_t;

static int mqtt_publish_job(void *argument)
{
    publish_job_t *job = argument;
    return mqtt_task_publish(&job->message, job->wait_ms);
}

// The payload: a text, hexadecimal digits, or length and seed. The argument at fault, or NULL.
static const char *mqtt_take_payload(const argument_value_t *values, publish_job_t *job)
{
    const argument_value_t *text = &values[ARG_MQTT_PUBLISH_TEXT];
    const argument_value_t *hex = &values[ARG_MQTT_PUBLISH_HEX];
    const argument_value_t *length = &values[ARG_MQTT_PUBLISH_LENGTH];
    if (text->present + hex->present + length->present != 1) {
        return "one of text, hex, length";
    }
    job->message.length = (uint32_t)length->number;
    job->message.seed = (uint32_t)values[ARG_MQTT_PUBLISH_SEED].number;
    if (text->present) {
        job->message.payload = (const uint8_t *)text->text;
        job->message.length = (uint32_t)strlen(text->text);
    } else if (hex->present) {
        int count = hex_parse(hex->text, job->bytes, sizeof job->bytes);
        if (count < 0) {
            return "hex";
        }
        job->message.payload = job->bytes;
        job->message.length = (uint32_t)count;
    }
    return NULL;
}

void command_mqtt_publish(const command_call_t *call, reply_t *reply)
{
    const argument_value_t *values = call->values;
    publish_job_t job = {
        .message =
            {
                .topic = mqtt_text(values[ARG_MQTT_PUBLISH_TOPIC].text),
                .qos = (uint8_t)values[ARG_MQTT_PUBLISH_QOS].number,
                .retain = values[ARG_MQTT_PUBLISH_RETAIN].number != 0,
            },
        .wait_ms = (uint32_t)values[ARG_MQTT_PUBLISH_MS].number,
    };
    const char *fault = mqtt_take_payload(values, &job);
    if (fault != NULL) {
        reply_error(reply, status_word(STATUS_VALUE), fault);
        return;
    }
    mqtt_task_prepare();
    int id = net_work_run(mqtt_publish_job, &job);
    if (id < 0) {
        reply_error(reply, status_word((status_t)id), id == STATUS_VALUE ? "topic" : "");
        return;
    }
    line_add_u32(reply_ok(reply), "id", (uint32_t)id);
    reply_send(reply);
}

// ---- subscribe ---------------------------------------------------------------------------------

typedef struct {
    mqtt_type_t type;
    mqtt_topic_t topics[MQTT_MAX_TOPICS];
    size_t count;
    mqtt_result_t result;
    uint32_t wait_ms;
} topics_job_t;

static int mqtt_topics_job(void *argument)
{
    topics_job_t *job = argument;
    return mqtt_task_topics(job->type, job->topics, job->count, &job->result, job->wait_ms);
}

// Filters parted by line feeds; QoS: one digit for all, or one for each.
static bool mqtt_take_topics(const char *topics, const char *qos, topics_job_t *job)
{
    for (size_t digits = strlen(qos); job->count < MQTT_MAX_TOPICS; job->count++) {
        size_t length = strcspn(topics, "\n");
        char digit = digits == 1u ? qos[0] : job->count < digits ? qos[job->count] : '\0';
        if (digit < '0' || digit > '2') {
            return false;
        }
        job->topics[job->count] =
            (mqtt_topic_t){{(const uint8_t *)topics, length}, (uint8_t)(digit - '0')};
        topics += length;
        if (*topics == '\0') {
            job->count++;
            return digits == 1u || digits == job->count;
        }
        topics++;
    }
    return false;
}

static void mqtt_reply_topics(reply_t *reply, const topics_job_t *job, int id)
{
    char codes[4 * MQTT_MAX_TOPICS] = "";
    size_t length = 0;
    if (id < 0) {
        reply_error(reply, status_word((status_t)id), id == STATUS_VALUE ? "topics" : "");
        return;
    }
    for (uint8_t i = 0; i < job->result.count; i++) {
        codes[length] = ',';
        length += i > 0u ? 1u : 0u;
        length += line_format_u32(job->result.codes[i], codes + length);
    }
    line_t *line = reply_ok(reply);
    line_add_u32(line, "id", (uint32_t)id);
    line_add_text(line, "codes", codes);
    reply_send(reply);
}

static void mqtt_run_topics(mqtt_type_t type, const char *topics, const char *qos, int32_t wait_ms,
                            reply_t *reply)
{
    topics_job_t job = {.type = type, .wait_ms = (uint32_t)wait_ms};
    if (!mqtt_take_topics(topics, qos, &job)) {
        reply_error(reply, status_word(STATUS_VALUE), "topics or qos");
        return;
    }
    mqtt_task_prepare();
    mqtt_reply_topics(reply, &job, net_work_run(mqtt_topics_job, &job));
}

void command_mqtt_subscribe(const command_call_t *call, reply_t *reply)
{
    const argument_value_t *values = call->values;
    mqtt_run_topics(MQTT_SUBSCRIBE, values[ARG_MQTT_SUBSCRIBE_TOPICS].text,
                    values[ARG_MQTT_SUBSCRIBE_QOS].text, values[ARG_MQTT_SUBSCRIBE_MS].number,
                    reply);
}

void command_mqtt_unsubscribe(const command_call_t *call, reply_t *reply)
{
    mqtt_run_topics(MQTT_UNSUBSCRIBE, call->values[ARG_MQTT_UNSUBSCRIBE_TOPICS].text, "0",
                    call->values[ARG_MQTT_UNSUBSCRIBE_MS].number, reply);
}
