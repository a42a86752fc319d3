// SPDX-License-Identifier: MIT
// The firmware's MQTT client over a socket of this machine, so that it can be tried against a real
// broker without a board:  mqtt_host HOST PORT CLIENT CLEAN KEEPALIVE_S
// It connects, then takes one command a line from standard input until that ends, and prints a line
// for everything that happens.
//   subscribe QOS FILTER | unsubscribe FILTER | publish QOS RETAIN LENGTH SEED TOPIC
//   cut publish|puback|now | up | quit
#define _GNU_SOURCE
#include "crc32.h"
#include "mqtt_client.h"

#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER_BYTES = 300 * 1024, RECEIVE_US = 5000 };

static mqtt_client_t s_client;
static uint8_t s_buffer[BUFFER_BYTES];
static const char *s_host, *s_port;
static int s_socket = -1;
static const char *s_word = "";

// ---- the port ----------------------------------------------------------------------------------

static int32_t socket_send(NetworkContext_t *context, const void *bytes, size_t length)
{
    (void)context;
    return (int32_t)send(s_socket, bytes, length, MSG_NOSIGNAL);
}

static int32_t socket_receive(NetworkContext_t *context, void *bytes, size_t length)
{
    (void)context;
    struct pollfd ready = {s_socket, POLLIN, 0};
    if (poll(&ready, 1, RECEIVE_US / 1000) == 0) {
        return 0;
    }
    ssize_t got = recv(s_socket, bytes, length, 0);
    return got > 0 ? (int32_t)got : -1;
}

status_t mqtt_port_open(TransportInterface_t *transport)
{
    struct addrinfo *address = NULL;
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    if (getaddrinfo(s_host, s_port, &hints, &address) != 0) {
        return STATUS_UNKNOWN;
    }
    s_socket = socket(AF_INET, SOCK_STREAM, 0);
    int failed = connect(s_socket, address->ai_addr, address->ai_addrlen);
    freeaddrinfo(address);
    *transport = (TransportInterface_t){socket_receive, socket_send, NULL, NULL};
    return failed == 0 ? STATUS_OK : STATUS_REFUSED;
}

void mqtt_port_close(void)
{
    if (s_socket >= 0) {
        (void)close(s_socket);
        s_socket = -1;
    }
}

uint32_t mqtt_port_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

uint32_t mqtt_port_random(void)
{
    return (uint32_t)random() << 16 ^ (uint32_t)random();
}

void mqtt_port_lock(void)
{
}

void mqtt_port_unlock(void)
{
}

void mqtt_port_changed(const mqtt_client_t *client)
{
    const mqtt_session_t *session = &client->session;
    const char *word = mqtt_client_word(client);
    if (word != s_word) {
        s_word = word;
        printf("state %s resumed=%d fault=%s\n", word, session->resumed,
               mqtt_fault_word(session->fault));
    }
}

// ---- what is printed ---------------------------------------------------------------------------

static void on_message(void *owner, const mqtt_publish_t *message)
{
    (void)owner;
    printf("message %.*s qos=%u retain=%d dup=%d length=%zu crc=%08X\n", (int)message->topic.length,
           (const char *)message->topic.bytes, (unsigned)message->qos, message->retain,
           message->dup, message->payload.length,
           (unsigned)crc32_update(0, message->payload.bytes, message->payload.length));
}

static void print_answers(uint32_t *seen)
{
    const mqtt_session_t *session = &s_client.session;
    for (; *seen != session->next_result; (*seen)++) {
        const mqtt_result_t *result = &session->results[*seen % MQTT_RESULTS];
        printf("answer %u", (unsigned)result->id);
        for (uint8_t i = 0; i < result->count; i++) {
            printf(" %u", (unsigned)result->codes[i]);
        }
        printf(" resent=%u duplicates=%u pongs=%u\n", (unsigned)session->counts.resent,
               (unsigned)session->counts.duplicates, (unsigned)session->counts.pongs);
    }
}

// ---- commands ----------------------------------------------------------------------------------

static int32_t command_topics(mqtt_type_t type, const char *filter, unsigned qos)
{
    mqtt_topic_t topic = {mqtt_text(filter), (uint8_t)qos};
    return mqtt_session_topics(&s_client.session, type, &topic, 1, mqtt_port_now_ms());
}

static int32_t command_cut(const char *where)
{
    if (strcmp(where, "now") == 0) {
        mqtt_session_fail(&s_client.session, MQTT_FAULT_CUT);
    } else {
        s_client.session.cut = strcmp(where, "puback") == 0 ? MQTT_CUT_PUBACK : MQTT_CUT_PUBLISH;
    }
    return 0;
}

static int32_t command_run(const char *line)
{
    char topic[300] = "";
    unsigned qos, retain, length, seed;
    if (sscanf(line, "subscribe %u %299s", &qos, topic) == 2) {
        return command_topics(MQTT_SUBSCRIBE, topic, qos);
    }
    if (sscanf(line, "unsubscribe %299s", topic) == 1) {
        return command_topics(MQTT_UNSUBSCRIBE, topic, 0);
    }
    if (sscanf(line, "publish %u %u %u %u %299s", &qos, &retain, &length, &seed, topic) == 5) {
        mqtt_message_t message = {mqtt_text(topic), (uint8_t)qos, retain != 0u, NULL, length, seed};
        return mqtt_session_publish(&s_client.session, &message, mqtt_port_now_ms());
    }
    if (sscanf(line, "cut %299s", topic) == 1) {
        return command_cut(topic);
    }
    s_client.wanted = strncmp(line, "up", 2) == 0;
    return 0;
}

// Whether there may be more to come.
static bool command_next(void)
{
    char line[400];
    struct pollfd ready = {STDIN_FILENO, POLLIN, 0};
    if (poll(&ready, 1, 0) <= 0) {
        return true;
    }
    if (fgets(line, sizeof line, stdin) == NULL) {
        return false;
    }
    printf("done %d\n", (int)command_run(line));
    return true;
}

int main(int count, char **arguments)
{
    uint32_t seen = 0;
    if (count != 6) {
        return 2;
    }
    s_host = arguments[1];
    s_port = arguments[2];
    setvbuf(stdout, NULL, _IOLBF, 0);
    setvbuf(stdin, NULL, _IONBF, 0);
    mqtt_session_init(&s_client.session, s_buffer, sizeof s_buffer);
    s_client.session.connect = (mqtt_connect_t){.client = mqtt_text(arguments[3]),
                                                .clean = atoi(arguments[4]) != 0,
                                                .keep_alive_s = (uint16_t)atoi(arguments[5])};
    s_client.session.timing = (mqtt_timing_t){2000, 2000, 2000, 2};
    s_client.session.on_message = on_message;
    s_client.retry = (mqtt_retry_t){20, 200, 0, 1000, MQTT_JITTER_FULL};
    s_client.wanted = s_client.reconnects = true;
    while (command_next() || s_client.phase != MQTT_IDLE) {
        if (feof(stdin)) {
            s_client.wanted = false;
        }
        if (mqtt_client_turn(&s_client) != 0u) {
            (void)poll(NULL, 0, 1);
        }
        print_answers(&seen);
    }
    return 0;
}
