// SPDX-License-Identifier: MIT
#include "shadow.h"

#include <string.h>

static const char *const s_requests[] = {"/get", "/update", "/delete"};

static const char *const s_kinds[SHADOW_TOPICS] = {
    [SHADOW_GET_ACCEPTED] = "/get/accepted",       [SHADOW_GET_REJECTED] = "/get/rejected",
    [SHADOW_UPDATE_ACCEPTED] = "/update/accepted", [SHADOW_UPDATE_REJECTED] = "/update/rejected",
    [SHADOW_UPDATE_DELTA] = "/update/delta",       [SHADOW_UPDATE_DOCUMENTS] = "/update/documents",
    [SHADOW_DELETE_ACCEPTED] = "/delete/accepted", [SHADOW_DELETE_REJECTED] = "/delete/rejected",
};

// What is written; `length` goes on counting behind the end.
typedef struct {
    char *text;
    size_t size;
    size_t length;
} shadow_out_t;

static void shadow_put(shadow_out_t *out, const char *text, size_t length)
{
    if (out->length + length < out->size) {
        memcpy(out->text + out->length, text, length);
        out->text[out->length + length] = '\0';
    }
    out->length += length;
}

static void shadow_add(shadow_out_t *out, const char *text)
{
    shadow_put(out, text, strlen(text));
}

static int shadow_end(const shadow_out_t *out)
{
    return out->length < out->size ? (int)out->length : STATUS_SPACE;
}

// ---- names and topics --------------------------------------------------------------------------

static bool shadow_name_is_good(const char *name, size_t most)
{
    static const char s_allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789:_-";
    size_t length = strlen(name);
    return length <= most && strspn(name, s_allowed) == length;
}

status_t shadow_init(shadow_t *shadow, const char *thing, const char *name)
{
    if (thing[0] == '\0' || !shadow_name_is_good(thing, 128) || !shadow_name_is_good(name, 64)) {
        return STATUS_VALUE;
    }
    memset(shadow, 0, sizeof *shadow);
    strcpy(shadow->thing, thing);
    strcpy(shadow->name, name);
    return STATUS_OK;
}

static int shadow_topic(const shadow_t *shadow, const char *end, char *out, size_t size)
{
    shadow_out_t to = {out, size, 0};
    shadow_add(&to, "$aws/things/");
    shadow_add(&to, shadow->thing);
    shadow_add(&to, "/shadow");
    if (shadow->name[0] != '\0') {
        shadow_add(&to, "/name/");
        shadow_add(&to, shadow->name);
    }
    shadow_add(&to, end);
    return shadow_end(&to);
}

int shadow_request_topic(const shadow_t *shadow, shadow_request_t request, char *out, size_t size)
{
    return shadow_topic(shadow, s_requests[request], out, size);
}

int shadow_kind_topic(const shadow_t *shadow, shadow_kind_t kind, char *out, size_t size)
{
    return shadow_topic(shadow, s_kinds[kind], out, size);
}

// ---- requests ----------------------------------------------------------------------------------

static bool shadow_is_json(const char *text)
{
    json_t value;
    return json_read(text, strlen(text), &value) == STATUS_OK;
}

static void shadow_add_token(shadow_out_t *out, const char *token)
{
    if (token != NULL && token[0] != '\0') {
        shadow_add(out, "\"clientToken\":\"");
        shadow_add(out, token);
        shadow_add(out, "\"");
    }
}

static bool shadow_token_is_good(const char *token)
{
    return token == NULL || strpbrk(token, "\"\\") == NULL; // its length is the service's matter
}

int shadow_write_token(const char *token, char *out, size_t size)
{
    shadow_out_t to = {out, size, 0};
    if (!shadow_token_is_good(token)) {
        return STATUS_VALUE;
    }
    shadow_add(&to, "{");
    shadow_add_token(&to, token);
    shadow_add(&to, "}");
    return shadow_end(&to);
}

static void shadow_add_u32(shadow_out_t *out, uint32_t value)
{
    char digits[11];
    size_t at = sizeof digits - 1u;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + value % 10u);
        value /= 10u;
    } while (value != 0u);
    shadow_add(out, digits + at);
}

static void shadow_add_state(shadow_out_t *out, const shadow_update_t *update)
{
    shadow_add(out, "{\"state\":{");
    if (update->desired != NULL) {
        shadow_add(out, "\"desired\":");
        shadow_add(out, update->desired);
    }
    if (update->reported != NULL || update->reported_part.length > 0u) {
        shadow_add(out, update->desired != NULL ? ",\"reported\":" : "\"reported\":");
        if (update->reported != NULL) {
            shadow_add(out, update->reported);
        } else {
            shadow_put(out, update->reported_part.text, update->reported_part.length);
        }
    }
    shadow_add(out, "}");
}

int shadow_write_update(const shadow_update_t *update, char *out, size_t size)
{
    shadow_out_t to = {out, size, 0};
    bool good = (update->desired == NULL || shadow_is_json(update->desired)) &&
                (update->reported == NULL || shadow_is_json(update->reported));
    if (!good || !shadow_token_is_good(update->token)) {
        return STATUS_VALUE;
    }
    shadow_add_state(&to, update);
    if (update->has_version) {
        shadow_add(&to, ",\"version\":");
        shadow_add_u32(&to, update->version);
    }
    if (update->token != NULL && update->token[0] != '\0') {
        shadow_add(&to, ",");
        shadow_add_token(&to, update->token);
    }
    shadow_add(&to, "}");
    return shadow_end(&to);
}

// ---- messages ----------------------------------------------------------------------------------

static int shadow_find_kind(const shadow_t *shadow, mqtt_text_t topic)
{
    char expected[SHADOW_TOPIC_BYTES];
    for (int kind = 0; kind < SHADOW_TOPICS; kind++) {
        int length = shadow_kind_topic(shadow, (shadow_kind_t)kind, expected, sizeof expected);
        if (length == (int)topic.length && memcmp(expected, topic.bytes, topic.length) == 0) {
            return kind;
        }
    }
    return STATUS_UNKNOWN;
}

static bool shadow_is_rejection(shadow_kind_t kind)
{
    return kind == SHADOW_GET_REJECTED || kind == SHADOW_UPDATE_REJECTED ||
           kind == SHADOW_DELETE_REJECTED;
}

static bool shadow_read_rejection(json_t document, shadow_answer_t *answer)
{
    json_t value;
    if (!json_member(document, "code", &value) || !json_u32(value, &answer->code)) {
        return false;
    }
    if (json_member(document, "message", &value)) {
        (void)json_string(value, answer->message, sizeof answer->message);
    }
    return true;
}

// Where version and state stand: update/documents tells the document before and the one that holds
// now.
static json_t shadow_document(json_t document, shadow_kind_t kind)
{
    json_t current;
    bool nested = kind == SHADOW_UPDATE_DOCUMENTS && json_member(document, "current", &current);
    return nested ? current : document;
}

static bool shadow_read_state(json_t document, shadow_answer_t *answer)
{
    json_t value;
    json_t holder = shadow_document(document, answer->kind);
    answer->has_version =
        json_member(holder, "version", &value) && json_u32(value, &answer->version);
    bool has_state = json_member(holder, "state", &answer->state) && answer->state.text[0] == '{';
    return answer->has_version && (has_state || answer->kind == SHADOW_DELETE_ACCEPTED);
}

static bool shadow_read(json_t document, shadow_answer_t *answer)
{
    json_t value;
    if (json_member(document, "clientToken", &value)) {
        (void)json_string(value, answer->token, sizeof answer->token);
    }
    return document.text[0] == '{' && (answer->rejected ? shadow_read_rejection(document, answer)
                                                        : shadow_read_state(document, answer));
}

static void shadow_count(shadow_t *shadow, const shadow_answer_t *answer)
{
    switch (answer->kind) {
    case SHADOW_UPDATE_DELTA:
        shadow->counts.deltas++;
        break;
    case SHADOW_UPDATE_DOCUMENTS:
        shadow->counts.documents++;
        break;
    default:
        shadow->counts.accepted += answer->rejected ? 0u : 1u;
        shadow->counts.rejected += answer->rejected ? 1u : 0u;
    }
}

static bool shadow_is_old(const shadow_t *shadow, const shadow_answer_t *answer)
{
    return answer->has_version && shadow->known && answer->version < shadow->version;
}

status_t shadow_take(shadow_t *shadow, mqtt_text_t topic, mqtt_text_t payload,
                     shadow_answer_t *answer)
{
    json_t document;
    int kind = shadow_find_kind(shadow, topic);
    if (kind < 0) {
        return STATUS_UNKNOWN;
    }
    memset(answer, 0, sizeof *answer);
    answer->kind = (shadow_kind_t)kind;
    answer->rejected = shadow_is_rejection(answer->kind);
    if (json_read(payload.bytes, payload.length, &document) != STATUS_OK ||
        !shadow_read(document, answer)) {
        shadow->counts.malformed++;
        return STATUS_SYNTAX;
    }
    if (shadow_is_old(shadow, answer)) {
        shadow->counts.ignored++;
        return STATUS_RANGE;
    }
    shadow_count(shadow, answer);
    if (answer->has_version) {
        shadow->version = answer->version;
        shadow->known = answer->kind != SHADOW_DELETE_ACCEPTED;
    }
    return STATUS_OK;
}
