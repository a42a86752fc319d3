// SPDX-License-Identifier: MIT
// A client of the AWS IoT Device Shadow service, classic or named: topics, requests, and what its
// messages mean. Pure; who publishes and subscribes is shadow_client.h's matter.
//
// Versions: what says a version older than the last one seen is ignored, because messages may come
// late or twice. A deleted shadow, and one opened anew, has none.
#ifndef SHADOW_H
#define SHADOW_H

#include "json.h"
#include "mqtt_codec.h"

enum {
    SHADOW_NAME_BYTES = 129,   // a thing's or a shadow's name with NUL
    SHADOW_TOPIC_BYTES = 320,  // with NUL
    SHADOW_TOKEN_BYTES = 65,   // with NUL; the service takes 64
    SHADOW_TOPICS = 8,         // that a client subscribes to
    SHADOW_MESSAGE_BYTES = 96, // of a rejection
};

typedef enum {
    SHADOW_GET_ACCEPTED,
    SHADOW_GET_REJECTED,
    SHADOW_UPDATE_ACCEPTED,
    SHADOW_UPDATE_REJECTED,
    SHADOW_UPDATE_DELTA,
    SHADOW_UPDATE_DOCUMENTS,
    SHADOW_DELETE_ACCEPTED,
    SHADOW_DELETE_REJECTED,
} shadow_kind_t;

typedef enum { SHADOW_GET, SHADOW_UPDATE, SHADOW_DELETE } shadow_request_t;

typedef struct {
    uint32_t accepted, rejected, deltas, documents;
    uint32_t ignored;   // older than the last version seen
    uint32_t malformed; // not what the service sends
} shadow_counts_t;

typedef struct {
    char thing[SHADOW_NAME_BYTES];
    char name[SHADOW_NAME_BYTES]; // "": the classic shadow
    bool known;                   // a version was seen
    uint32_t version;
    shadow_counts_t counts;
} shadow_t;

// What a message of the service says. `state` points into the message.
typedef struct {
    shadow_kind_t kind;
    bool rejected; // by its topic, whatever its code
    bool has_version;
    uint32_t version;
    uint32_t code; // of a rejection
    char message[SHADOW_MESSAGE_BYTES];
    char token[SHADOW_TOKEN_BYTES]; // "": none
    json_t state;                   // delta: what differs; documents: the document that holds now
} shadow_answer_t;

// Forgets all and takes names. STATUS_VALUE: a name that the service does not allow.
status_t shadow_init(shadow_t *shadow, const char *thing, const char *name);

// The topic of a request, or one of those to subscribe to. Returns its length; STATUS_SPACE.
int shadow_request_topic(const shadow_t *shadow, shadow_request_t request, char *out, size_t size);
int shadow_kind_topic(const shadow_t *shadow, shadow_kind_t kind, char *out, size_t size);

// What an update asks for; texts are JSON, NULL: left out.
typedef struct {
    const char *desired;
    const char *reported;
    json_t reported_part; // instead of `reported`: a value from another document
    bool has_version;     // refused by the service unless the shadow has this version
    uint32_t version;
    const char *token;
} shadow_update_t;

// Writes the payload of a request with its token. Returns its length; STATUS_VALUE: a state that is
// not JSON, a token that is too long; STATUS_SPACE.
int shadow_write_update(const shadow_update_t *update, char *out, size_t size);
int shadow_write_token(const char *token, char *out, size_t size); // of get and delete

// Takes a message. STATUS_OK: *answer says what it is, and counts and version were brought up to
// date. STATUS_UNKNOWN: not of this shadow. STATUS_SYNTAX: malformed, such as a rejection without
// a number as its code; kind, rejected, and a token that could be read hold. STATUS_RANGE: an older
// version than the last one seen; ignored.
status_t shadow_take(shadow_t *shadow, mqtt_text_t topic, mqtt_text_t payload,
                     shadow_answer_t *answer);

#endif
