// SPDX-License-Identifier: MIT
#include "mqtt_task.h"

#include "connection.h"
#include "counter_clock.h"
#include "lwip_task.h"
#include "net_task.h"
#include "net_work.h"
#include "writer.h"

#include <string.h>

enum {
    BUFFER_BYTES = 272 * 1024, // a message of 256 KiB
    RECEIVE_MS = 50,           // how long the task may be deaf to other wishes
    SEND_MS = 10000,
    OPEN_MS = 20000,
    FAULT_BYTES = 96,
};

static StackType_t s_stack[NET_WORK_STACK_BYTES / sizeof(StackType_t)] NET_UNINITIALISED;
static uint8_t s_buffer[BUFFER_BYTES] NET_UNINITIALISED;
static StaticTask_t s_block;
static StaticSemaphore_t s_mutex_block, s_changed_block;
static TaskHandle_t s_task;
static SemaphoreHandle_t s_mutex, s_changed;
static NetworkContext_t *s_connection;
static char s_fault[FAULT_BYTES];

static mqtt_settings_t s_settings;
static mqtt_client_t s_client;
static const mqtt_retry_t s_retry = {1000, 60000, 0, 10000, MQTT_JITTER_FULL};
static const mqtt_timing_t s_timing = {10000, 5000, 5000, 3};

mqtt_settings_t *mqtt_task_settings(void)
{
    return &s_settings;
}

mqtt_client_t *mqtt_task_client(void)
{
    return &s_client;
}

const char *mqtt_task_fault(void)
{
    return s_fault;
}

// ---- the client's port -------------------------------------------------------------------------

static const char *mqtt_or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

status_t mqtt_port_open(TransportInterface_t *transport)
{
    connection_options_t options = {
        .host = s_settings.host,
        .port = s_settings.port,
        .tls = s_settings.tls,
        .server_name = mqtt_or_null(s_settings.server_name),
        .alpn = mqtt_or_null(s_settings.alpn),
        .resume = s_settings.resume,
        .connect_timeout_ms = OPEN_MS,
        .receive_timeout_ms = RECEIVE_MS,
        .send_timeout_ms = SEND_MS,
    };
    status_t status = STATUS_OK;
    s_connection = connection_open(&options, &status);
    strncpy(s_fault, s_connection == NULL ? connection_fault() : "", sizeof s_fault - 1u);
    if (s_connection == NULL) {
        return status;
    }
    *transport = connection_transport(s_connection);
    return STATUS_OK;
}

void mqtt_port_close(void)
{
    connection_close(s_connection);
    s_connection = NULL;
}

// A broker counts keep-alive in true seconds.
uint32_t mqtt_port_now_ms(void)
{
    static counter_clock_t s_clock;
    return counter_clock_ms(&s_clock);
}

uint32_t mqtt_port_random(void)
{
    return net_random();
}

void mqtt_port_lock(void)
{
    (void)xSemaphoreTake(s_mutex, portMAX_DELAY);
}

void mqtt_port_unlock(void)
{
    (void)xSemaphoreGive(s_mutex);
}

static void mqtt_say_state(const mqtt_client_t *client, const char *word)
{
    line_t line;
    writer_begin_event(&line, "mqtt.state");
    line_add_text(&line, "state", word);
    line_add_u32(&line, "session", client->session.resumed ? 1 : 0);
    line_add_text(&line, "fault", mqtt_fault_word(client->session.fault));
    line_add_u32(&line, "attempts", client->attempts);
    line_add_u32(&line, "wait_ms", client->phase == MQTT_WAITING ? client->wait_ms : 0u);
    writer_send_event(&line);
}

void mqtt_port_changed(const mqtt_client_t *client)
{
    static const char *s_said = "idle";
    const char *word = mqtt_client_word(client);
    if (strcmp(word, s_said) != 0) {
        s_said = word;
        mqtt_say_state(client, word);
    }
    (void)xSemaphoreGive(s_changed);
}

// ---- the task ----------------------------------------------------------------------------------

static void mqtt_task(void *unused)
{
    (void)unused;
    for (;;) {
        uint32_t rest_ms = mqtt_client_turn(&s_client);
        if (rest_ms == UINT32_MAX) {
            (void)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        } else if (rest_ms != 0u) { // in small pieces: the tick is not the clock that counts
            uint32_t piece_ms = rest_ms < RECEIVE_MS ? rest_ms : RECEIVE_MS;
            (void)ulTaskNotifyTake(pdTRUE, kernel_ms_to_ticks(piece_ms));
        }
    }
}

static const net_task_t s_facts = {
    "net.mqtt", mqtt_task, NET_WORK_PRIORITY, s_stack, sizeof s_stack / sizeof s_stack[0], &s_block,
};

static void mqtt_make_client(void)
{
    s_mutex = xSemaphoreCreateMutexStatic(&s_mutex_block);
    s_changed = xSemaphoreCreateBinaryStatic(&s_changed_block);
    mqtt_session_init(&s_client.session, s_buffer, sizeof s_buffer);
    s_client.session.on_message = mqtt_task_on_message;
    s_client.session.timing = s_timing;
    s_client.retry = s_retry;
}

void mqtt_task_prepare(void)
{
    if (s_mutex == NULL) {
        mqtt_make_client();
    }
    if (s_task == NULL) {
        s_task = net_task_make(&s_facts, NULL);
    }
}

void mqtt_task_end(void)
{
    if (s_task == NULL || mqtt_task_disconnect(OPEN_MS + SEND_MS) != STATUS_OK) {
        return;
    }
    mqtt_port_lock(); // the task holds nothing then
    TaskHandle_t task = s_task;
    s_task = NULL;
    net_task_end(task);
    mqtt_port_unlock();
}

// ---- wishes of other tasks ---------------------------------------------------------------------

TickType_t mqtt_task_deadline(uint32_t wait_ms)
{
    return xTaskGetTickCount() + kernel_ms_to_ticks(wait_ms);
}

bool mqtt_task_rest(TickType_t deadline)
{
    int32_t left = (int32_t)(deadline - xTaskGetTickCount());
    return left > 0 && (xSemaphoreTake(s_changed, (TickType_t)left), true);
}

static mqtt_text_t mqtt_optional(const char *text)
{
    return text[0] != '\0' ? mqtt_text(text) : (mqtt_text_t){NULL, 0};
}

static mqtt_connect_t mqtt_connect_packet(void)
{
    return (mqtt_connect_t){
        .client = mqtt_text(s_settings.client),
        .keep_alive_s = s_settings.keep_alive_s,
        .clean = s_settings.clean,
        .has_will = s_settings.will_topic[0] != '\0',
        .will_topic = mqtt_text(s_settings.will_topic),
        .will_payload = mqtt_text(s_settings.will_payload),
        .will_qos = s_settings.will_qos,
        .will_retain = s_settings.will_retain,
        .user = mqtt_optional(s_settings.user),
        .password = mqtt_optional(s_settings.password),
    };
}

static status_t mqtt_status_of(const mqtt_client_t *client)
{
    switch (client->session.fault) {
    case MQTT_FAULT_OPEN:
        return client->opening;
    case MQTT_FAULT_REFUSED:
        return STATUS_REFUSED;
    case MQTT_FAULT_CONNACK:
        return STATUS_TIMEOUT;
    case MQTT_FAULT_MALFORMED:
        return STATUS_SYNTAX;
    default:
        return STATUS_CLOSED;
    }
}

// 1 while it is not decided.
static int mqtt_connect_outcome(void)
{
    mqtt_port_lock();
    bool up = s_client.phase == MQTT_RUNNING && s_client.session.link == MQTT_LINK_UP;
    int outcome = up ? STATUS_OK : s_client.wanted ? 1 : (int)mqtt_status_of(&s_client);
    mqtt_port_unlock();
    return outcome;
}

static bool mqtt_want(void)
{
    mqtt_port_lock();
    bool idle = mqtt_client_is_at_rest(&s_client);
    if (idle) {
        s_client.session.connect = mqtt_connect_packet();
        s_client.reconnects = s_settings.reconnects;
        s_client.wanted = true;
    }
    mqtt_port_unlock();
    return idle;
}

status_t mqtt_task_connect(uint32_t wait_ms)
{
    TickType_t deadline = mqtt_task_deadline(wait_ms);
    if (!mqtt_want()) {
        return STATUS_RANGE;
    }
    (void)xTaskNotifyGive(s_task);
    int outcome = mqtt_connect_outcome();
    while (outcome > 0 && mqtt_task_rest(deadline)) {
        outcome = mqtt_connect_outcome();
    }
    return outcome > 0 ? STATUS_TIMEOUT : (status_t)outcome;
}

static bool mqtt_is_idle(void)
{
    mqtt_port_lock();
    bool idle = s_client.phase == MQTT_IDLE;
    mqtt_port_unlock();
    return idle;
}

status_t mqtt_task_disconnect(uint32_t wait_ms)
{
    TickType_t deadline = mqtt_task_deadline(wait_ms);
    mqtt_port_lock();
    s_client.wanted = false;
    mqtt_port_unlock();
    (void)xTaskNotifyGive(s_task);
    while (!mqtt_is_idle()) {
        if (!mqtt_task_rest(deadline)) {
            return STATUS_TIMEOUT;
        }
    }
    return STATUS_OK;
}

static int mqtt_result_of(int32_t id, mqtt_result_t *result)
{
    mqtt_port_lock();
    int outcome = mqtt_client_result(&s_client, (uint16_t)id, result);
    mqtt_port_unlock();
    return outcome;
}

static int32_t mqtt_wait_answer(int32_t id, mqtt_result_t *result, TickType_t deadline)
{
    int outcome = mqtt_result_of(id, result);
    while (outcome == 0 && mqtt_task_rest(deadline)) {
        outcome = mqtt_result_of(id, result);
    }
    return outcome > 0 ? id : outcome == 0 ? STATUS_TIMEOUT : outcome;
}

int32_t mqtt_task_publish(const mqtt_message_t *message, uint32_t wait_ms)
{
    mqtt_result_t result;
    TickType_t deadline = mqtt_task_deadline(wait_ms);
    mqtt_port_lock();
    int32_t id = mqtt_session_publish(&s_client.session, message, mqtt_port_now_ms());
    mqtt_port_unlock();
    return id > 0 && wait_ms > 0u ? mqtt_wait_answer(id, &result, deadline) : id;
}

int32_t mqtt_task_topics(mqtt_type_t type, const mqtt_topic_t *topics, size_t count,
                         mqtt_result_t *result, uint32_t wait_ms)
{
    TickType_t deadline = mqtt_task_deadline(wait_ms);
    mqtt_port_lock();
    int32_t id = mqtt_session_topics(&s_client.session, type, topics, count, mqtt_port_now_ms());
    mqtt_port_unlock();
    return id > 0 && wait_ms > 0u ? mqtt_wait_answer(id, result, deadline) : id;
}
