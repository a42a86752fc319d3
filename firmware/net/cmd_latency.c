// SPDX-License-Identifier: MIT
// Commands that time the MQTT client on the board, by its counter: many connections, or publishes
// one after the other, each until its answer or until it came back. The worker measures; the
// console only asks.
#include "commands_table.h"
#include "console.h"
#include "mqtt_box.h"
#include "mqtt_task.h"
#include "net_work.h"
#include "platform.h"
#include "reply_series.h"
#include "series.h"

#include <string.h>

enum { MOST_SAMPLES = 2000 };

// What ends a sample.
typedef enum {
    UNTIL_ACK,     // PUBACK or PUBCOMP
    UNTIL_ECHO,    // the subscription gave the message back
    UNTIL_CONNACK, // of a new connection; the message is not sent
} until_t;

typedef struct {
    mqtt_message_t message;
    until_t until;
    uint32_t count;
    uint32_t wait_ms;
} measure_job_t;

static uint32_t s_samples[MOST_SAMPLES];
static uint32_t s_taken;

static uint32_t latency_counter(void)
{
    return *(const volatile uint32_t *)PLATFORM_COUNTER_AT;
}

static uint32_t latency_received(void)
{
    mqtt_port_lock();
    uint32_t count = mqtt_box_count();
    mqtt_port_unlock();
    return count;
}

// STATUS_TIMEOUT so far: nothing has come. STATUS_CLOSED: and nothing can.
static status_t latency_echo(uint32_t before)
{
    mqtt_port_lock();
    bool came = mqtt_box_count() != before;
    bool at_rest = mqtt_client_is_at_rest(mqtt_task_client());
    mqtt_port_unlock();
    return came ? STATUS_OK : at_rest ? STATUS_CLOSED : STATUS_TIMEOUT;
}

static status_t latency_await_echo(uint32_t before, TickType_t deadline)
{
    status_t status = latency_echo(before);
    while (status == STATUS_TIMEOUT && mqtt_task_rest(deadline)) {
        status = latency_echo(before);
    }
    return status;
}

static status_t latency_publish(const measure_job_t *job)
{
    TickType_t deadline = mqtt_task_deadline(job->wait_ms);
    uint32_t before = latency_received();
    bool echo = job->until == UNTIL_ECHO;
    int32_t id = mqtt_task_publish(&job->message, echo ? 0u : job->wait_ms);
    if (id < 0) {
        return (status_t)id;
    }
    return echo ? latency_await_echo(before, deadline) : STATUS_OK;
}

static status_t latency_prepare(const measure_job_t *job)
{
    return job->until == UNTIL_CONNACK ? mqtt_task_disconnect(job->wait_ms) : STATUS_OK;
}

static status_t latency_once(const measure_job_t *job)
{
    return job->until == UNTIL_CONNACK ? mqtt_task_connect(job->wait_ms) : latency_publish(job);
}

// One that is not measured goes first: what is slow only once does not count.
static int net_job_latency(void *argument)
{
    measure_job_t *job = argument;
    s_taken = 0;
    status_t status = latency_prepare(job);
    status = status == STATUS_OK ? latency_once(job) : status;
    while (status == STATUS_OK && s_taken < job->count &&
           (status = latency_prepare(job)) == STATUS_OK) {
        job->message.seed++;
        uint32_t begin = latency_counter();
        status = latency_once(job);
        uint32_t ticks = latency_counter() - begin;
        if (status == STATUS_OK) {
            s_samples[s_taken++] = ticks & ~SERIES_TICK_HIT;
        }
    }
    return status;
}

static until_t latency_until(const char *word)
{
    return strcmp(word, "echo") == 0      ? UNTIL_ECHO
           : strcmp(word, "connack") == 0 ? UNTIL_CONNACK
                                          : UNTIL_ACK;
}

void command_mqtt_measure(const command_call_t *call, reply_t *reply)
{
    const argument_value_t *values = call->values;
    measure_job_t job = {
        .message = {.topic = mqtt_text(values[ARG_MQTT_MEASURE_TOPIC].text),
                    .qos = (uint8_t)values[ARG_MQTT_MEASURE_QOS].number,
                    .length = (uint32_t)values[ARG_MQTT_MEASURE_LENGTH].number},
        .until = latency_until(values[ARG_MQTT_MEASURE_UNTIL].text),
        .count = (uint32_t)values[ARG_MQTT_MEASURE_COUNT].number,
        .wait_ms = (uint32_t)values[ARG_MQTT_MEASURE_MS].number,
    };
    if (job.message.qos == 0u && job.until == UNTIL_ACK) {
        reply_error(reply, status_word(STATUS_VALUE), "qos");
        return;
    }
    mqtt_task_prepare();
    int status = net_work_run(net_job_latency, &job);
    if (status < 0) {
        reply_error(reply, status_word((status_t)status), "");
        return;
    }
    line_t *line = reply_ok(reply);
    line_add_u32(line, "count", s_taken);
    line_add_u32(line, "counter_hz", PLATFORM_COUNTER_HZ);
    reply_send(reply);
}

void command_mqtt_samples(const command_call_t *call, reply_t *reply)
{
    reply_series(reply, s_samples, s_taken, (uint32_t)call->values[ARG_MQTT_SAMPLES_OFFSET].number,
                 (uint32_t)call->values[ARG_MQTT_SAMPLES_COUNT].number);
}
