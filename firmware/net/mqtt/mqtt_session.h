// SPDX-License-Identifier: MIT
// An MQTT 3.1.1 session of a client: what was sent and awaits its answer, what was subscribed to,
// what came and is not acknowledged. It outlives connections. Pure: the caller gives time, the
// transport and the memory; nothing here waits but the transport's own send.
//
// The caller serialises all calls on one session, except mqtt_session_space() with the transport's
// receive into it, which only the task that receives uses. Times are in milliseconds and wrap.
//
//   begin()     the transport is open: sends CONNECT
//   received()  bytes came: answers and hands messages on
//   poll()      time passed: pings, resends, finds out that the other side is gone
//   link, fault when link is MQTT_LINK_DOWN the caller closes the transport; fault says why
//
// A message of QoS 1 or 2 that was published, and a SUBSCRIBE, is kept until its answer came: sent
// again after ack_ms, and on the next connection; with DUP where the server has the session. Where
// it has not, the session's subscriptions are asked for again and kept messages go out as new ones.
// An incoming message of QoS 1 is acknowledged after it was handed on; if the connection broke in
// between and the server sends it again, it is acknowledged and not handed on twice. If it broke
// while the PUBACK was sent, nobody knows whether the server has it: what comes again is handed on.
#ifndef MQTT_SESSION_H
#define MQTT_SESSION_H

#include "mqtt_codec.h"
#include "transport_interface.h"

enum {
    MQTT_IN_FLIGHT = 8,       // packets that await an answer
    MQTT_KEPT_BYTES = 2560,   // of one such packet, without a payload that a pattern makes
    MQTT_SUBSCRIPTIONS = 16,  // filters
    MQTT_FILTER_BYTES = 256,  // of one filter
    MQTT_UNACKNOWLEDGED = 32, // incoming messages; mosquitto has 20 under way
    MQTT_RESULTS = 8,         // answers kept for whoever waits
};

typedef enum { MQTT_LINK_DOWN, MQTT_LINK_CONNECTING, MQTT_LINK_UP } mqtt_link_t;

typedef enum {
    MQTT_FAULT_NONE,
    MQTT_FAULT_OPEN,      // the transport could not be opened
    MQTT_FAULT_CLOSED,    // the transport is gone, or does not take what is sent
    MQTT_FAULT_MALFORMED, // a packet that the standard forbids
    MQTT_FAULT_REFUSED,   // CONNACK said no
    MQTT_FAULT_CONNACK,   // none within connack_ms
    MQTT_FAULT_ACK,       // no answer to a packet after all resends
    MQTT_FAULT_PINGRESP,  // none within pingresp_ms
    MQTT_FAULT_CUT,       // the caller wanted it
} mqtt_fault_t;

// The word of a fault, such as "pingresp".
const char *mqtt_fault_word(mqtt_fault_t fault);

// For tests of what a broken connection does: where to break the next one.
typedef enum {
    MQTT_CUT_NONE,
    MQTT_CUT_PUBLISH, // after a PUBLISH was sent
    MQTT_CUT_PUBACK,  // instead of sending a PUBACK
    MQTT_CUT_MESSAGE, // instead of handing a message on, as if the board had lost power then
} mqtt_cut_t;

typedef struct {
    uint32_t connack_ms;  // 0 of any of these: for ever
    uint32_t ack_ms;      // before a packet is sent again
    uint32_t pingresp_ms; // before the connection is given up
    uint32_t resends;     // of a packet on one connection, before it is given up
} mqtt_timing_t;

typedef struct {
    uint32_t connects;   // CONNECTs sent
    uint32_t accepted;   // of those
    uint32_t resumed;    // of those, with the server's session
    uint32_t published;  // messages given to publish()
    uint32_t completed;  // packets whose answer came
    uint32_t resent;     // packets sent again on one connection or on a resumed session
    uint32_t received;   // messages handed on
    uint32_t duplicates; // messages not handed on again
    uint32_t too_large;  // messages that the receive buffer could not hold: acknowledged, lost
    uint32_t pings;
    uint32_t pongs;
} mqtt_counts_t;

// A message to publish: `payload` and `length`, or with payload NULL the bytes that pattern.h makes
// of `seed`.
typedef struct {
    mqtt_text_t topic;
    uint8_t qos;
    bool retain;
    const uint8_t *payload;
    uint32_t length;
    uint32_t seed;
} mqtt_message_t;

// The answer to a packet.
typedef struct {
    uint16_t id;
    uint8_t count; // of codes: SUBACK's
    uint8_t codes[MQTT_MAX_TOPICS];
} mqtt_result_t;

typedef struct {
    mqtt_type_t awaits; // 0: free
    bool sent;          // on this connection
    bool sent_before;   // on this session of the server's
    bool own;           // asks for subscriptions that the server forgot
    uint16_t id;
    uint32_t tries; // on this connection, beyond the first
    uint32_t order; // slots are sent again in the order of their publishing
    uint32_t sent_ms;
    size_t length;      // of packet
    uint32_t generated; // bytes of payload behind it, made from seed
    uint32_t seed;
    uint8_t packet[MQTT_KEPT_BYTES];
} mqtt_slot_t;

typedef struct {
    size_t length; // 0: free
    uint8_t qos;
    bool asked; // SUBSCRIBE is on its way, or was granted
    uint8_t filter[MQTT_FILTER_BYTES];
} mqtt_subscription_t;

typedef void (*mqtt_on_message_t)(void *owner, const mqtt_publish_t *message);

typedef struct {
    // set by the caller before begin(); texts must outlive the session
    mqtt_connect_t connect;
    mqtt_timing_t timing;
    mqtt_cut_t cut;
    mqtt_on_message_t on_message;
    void *owner;
    // read by the caller
    mqtt_link_t link;
    mqtt_fault_t fault;
    uint8_t refusal; // CONNACK's code
    bool resumed;
    uint32_t up_since_ms;
    mqtt_counts_t counts;
    // the session's own
    TransportInterface_t transport;
    uint32_t now_ms, since_ms, last_sent_ms, last_heard_ms, ping_ms;
    bool ping_waits;
    uint16_t last_id;
    uint32_t next_order, next_result;
    mqtt_slot_t slots[MQTT_IN_FLIGHT];
    mqtt_subscription_t subscriptions[MQTT_SUBSCRIPTIONS];
    uint16_t unacknowledged[MQTT_UNACKNOWLEDGED]; // 0: free
    mqtt_result_t results[MQTT_RESULTS];
    uint8_t *buffer;                 // incoming bytes
    size_t buffer_size, have, taken; // taken: of have, in the course of received()
    uint32_t skip;                   // bytes of a message that is too large, still to come
    mqtt_publish_t skipped;
    uint8_t scratch[MQTT_KEPT_BYTES];
} mqtt_session_t;

// Makes a session without history. The longest message that can be received is a little shorter
// than `size`.
void mqtt_session_init(mqtt_session_t *session, uint8_t *buffer, size_t size);

// The transport is open: sends CONNECT as session->connect says. STATUS_VALUE: it says nonsense.
status_t mqtt_session_begin(mqtt_session_t *session, TransportInterface_t transport,
                            uint32_t now_ms);

// Where the transport may put bytes, and how many.
size_t mqtt_session_space(mqtt_session_t *session, uint8_t **at);

// `length` bytes were put there.
void mqtt_session_received(mqtt_session_t *session, size_t length, uint32_t now_ms);

// Time passed.
void mqtt_session_poll(mqtt_session_t *session, uint32_t now_ms);

// Publishes. Returns the packet identifier (QoS 1 and 2), 0 when sent (QoS 0), STATUS_VALUE,
// STATUS_SPACE (too many in flight, or too long to keep), or STATUS_CLOSED: QoS 0 without a
// connection, whereas QoS 1 and 2 are kept for the next one.
int32_t mqtt_session_publish(mqtt_session_t *session, const mqtt_message_t *message,
                             uint32_t now_ms);

// Sends SUBSCRIBE or UNSUBSCRIBE; returns the packet identifier, or as publish().
int32_t mqtt_session_topics(mqtt_session_t *session, mqtt_type_t type, const mqtt_topic_t *topics,
                            size_t count, uint32_t now_ms);

// Whether the answer to a packet came: 1 and *result is set, 0 not yet, STATUS_UNKNOWN: nothing is
// known of this identifier (any more).
int mqtt_session_result(const mqtt_session_t *session, uint16_t id, mqtt_result_t *result);

// Sends DISCONNECT; the caller then closes the transport.
void mqtt_session_end(mqtt_session_t *session, uint32_t now_ms);

// Gives the link up without a word, for the reason given.
void mqtt_session_fail(mqtt_session_t *session, mqtt_fault_t fault);

// Forgets what the session kept: in flight, subscriptions, what was not acknowledged.
void mqtt_session_forget(mqtt_session_t *session);

#endif
