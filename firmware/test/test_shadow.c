// SPDX-License-Identifier: MIT
// Shadow messages and requests; Greengrass discovery.
#include "discovery.h"
#include "host_units.h"
#include "shadow.h"

#include <string.h>

static shadow_t s_shadow;
static shadow_answer_t s_answer;

static status_t take(const char *end, const char *payload)
{
    char topic[SHADOW_TOPIC_BYTES] = "$aws/things/T/shadow/name/N";
    strcat(topic, end);
    return shadow_take(&s_shadow, mqtt_text(topic), mqtt_text(payload), &s_answer);
}

static void test_topics(void)
{
    char topic[SHADOW_TOPIC_BYTES];
    CHECK(shadow_init(&s_shadow, "", "") == STATUS_VALUE, "no thing");
    CHECK(shadow_init(&s_shadow, "a/b", "") == STATUS_VALUE, "a level in it");
    CHECK(shadow_init(&s_shadow, "T", "a+") == STATUS_VALUE, "a wildcard in it");
    CHECK(shadow_init(&s_shadow, "T", "") == STATUS_OK, "classic");
    CHECK(shadow_request_topic(&s_shadow, SHADOW_UPDATE, topic, sizeof topic) > 0, "update");
    CHECK(strcmp(topic, "$aws/things/T/shadow/update") == 0, topic);
    CHECK(shadow_init(&s_shadow, "T", "N") == STATUS_OK, "named");
    CHECK(shadow_kind_topic(&s_shadow, SHADOW_UPDATE_DELTA, topic, sizeof topic) > 0, "delta");
    CHECK(strcmp(topic, "$aws/things/T/shadow/name/N/update/delta") == 0, topic);
    CHECK(shadow_kind_topic(&s_shadow, SHADOW_UPDATE_DELTA, topic, 20) == STATUS_SPACE, "space");
}

static void test_requests(void)
{
    char out[128];
    shadow_update_t update = {.reported = "{\"a\":1}", .token = "t"};
    CHECK(shadow_write_update(&update, out, sizeof out) > 0, "reported");
    CHECK(strcmp(out, "{\"state\":{\"reported\":{\"a\":1}},\"clientToken\":\"t\"}") == 0, out);
    update = (shadow_update_t){.desired = "null", .has_version = true, .version = 4000000000u};
    CHECK(shadow_write_update(&update, out, sizeof out) > 0, "desired");
    CHECK(strcmp(out, "{\"state\":{\"desired\":null},\"version\":4000000000}") == 0, out);
    update = (shadow_update_t){.desired = "1", .reported = "2"};
    CHECK(shadow_write_update(&update, out, sizeof out) > 0, "both");
    CHECK(strcmp(out, "{\"state\":{\"desired\":1,\"reported\":2}}") == 0, out);
    CHECK(shadow_write_update(&update, out, 10) == STATUS_SPACE, "space");
    update.reported = "{";
    CHECK(shadow_write_update(&update, out, sizeof out) == STATUS_VALUE, "not JSON");
    update = (shadow_update_t){.reported = "1", .token = "\"},"};
    CHECK(shadow_write_update(&update, out, sizeof out) == STATUS_VALUE, "token that breaks out");
    CHECK(shadow_write_token("t", out, sizeof out) > 0, "get");
    CHECK(strcmp(out, "{\"clientToken\":\"t\"}") == 0, out);
}

static void test_messages(void)
{
    (void)shadow_init(&s_shadow, "T", "N");
    CHECK(take("/update/accepted",
               "{\"state\":{\"reported\":{\"a\":1}},\"version\":5,\"clientToken\":\"t\"}") ==
              STATUS_OK,
          "accepted");
    CHECK(s_answer.kind == SHADOW_UPDATE_ACCEPTED && strcmp(s_answer.token, "t") == 0, "accepted");
    CHECK(s_shadow.known && s_shadow.version == 5u, "version");
    CHECK(take("/update/delta", "{\"version\":5,\"state\":{\"b\":2}}") == STATUS_OK, "delta");
    CHECK(s_answer.state.length == 7u && memcmp(s_answer.state.text, "{\"b\":2}", 7) == 0, "state");
    CHECK(take("/update/delta", "{\"version\":4,\"state\":{\"b\":3}}") == STATUS_RANGE,
          "an older one");
    CHECK(s_shadow.version == 5u && s_shadow.counts.ignored == 1u, "is ignored");
    CHECK(take("/update/documents", "{\"previous\":{\"state\":{},\"version\":5},\"current\":{"
                                    "\"state\":{\"c\":1},\"version\":6}}") == STATUS_OK,
          "documents");
    CHECK(s_shadow.version == 6u && s_answer.state.length == 7u, "the current one counts");
    CHECK(take("/get/rejected", "{\"code\":404,\"message\":\"No shadow exists with name: 'T'\"}") ==
              STATUS_OK,
          "rejected");
    CHECK(s_answer.code == 404u && s_answer.message[0] == 'N' && !s_answer.has_version, "why");
    CHECK(take("/delete/accepted", "{\"version\":6,\"timestamp\":1}") == STATUS_OK, "deleted");
    CHECK(!s_shadow.known, "no version holds any more");
    CHECK(take("/update/accepted", "{\"state\":{},\"version\":1}") == STATUS_OK, "made anew");
    CHECK(take("/update", "{}") == STATUS_UNKNOWN && take("/other", "{}") == STATUS_UNKNOWN,
          "topics");
    const shadow_counts_t *counts = &s_shadow.counts;
    CHECK(counts->accepted == 3u && counts->rejected == 1u && counts->deltas == 1u, "counts");
}

static void test_malformed_messages(void)
{
    static const char *const s_bad[] = {
        "",
        "{",
        "[]",
        "1",
        "{\"state\":{}}",
        "{\"version\":1}",
        "{\"state\":1,\"version\":1}",
        "{\"state\":{},\"version\":\"1\"}",
        "{\"state\":{},\"version\":-1}",
    };
    (void)shadow_init(&s_shadow, "T", "N");
    for (size_t i = 0; i < sizeof s_bad / sizeof s_bad[0]; i++) {
        CHECK(take("/update/delta", s_bad[i]) == STATUS_SYNTAX, s_bad[i]);
    }
    CHECK(take("/get/rejected", "{\"message\":\"x\"}") == STATUS_SYNTAX, "no code");
    CHECK(take("/get/rejected", "{\"code\":\"404\",\"clientToken\":\"t\"}") == STATUS_SYNTAX,
          "a code that is no number");
    CHECK(s_answer.rejected && strcmp(s_answer.token, "t") == 0, "whose answer it is, is known");
    CHECK(!s_shadow.known && s_shadow.counts.malformed == 11u, "nothing of it is believed");
    CHECK(take("/update/rejected", "{\"code\":0,\"clientToken\":\"t\"}") == STATUS_OK, "code 0");
    CHECK(s_answer.rejected && s_shadow.counts.rejected == 1u, "is a rejection all the same");
}

// ---- discovery ---------------------------------------------------------------------------------

static discovery_t s_found;

static status_t find(const char *body)
{
    return discovery_read(body, strlen(body), &s_found);
}

static void test_discovery(void)
{
    char pem[16];
    CHECK(find("{\"GGGroups\":[{\"GGGroupId\":\"g\",\"Cores\":[{\"thingArn\":\"arn\","
               "\"Connectivity\":["
               "{\"Id\":\"i\",\"HostAddress\":\"h\",\"PortNumber\":8883,\"Metadata\":\"\"},"
               "{\"Id\":\"j\",\"HostAddress\":\"k\",\"PortNumber\":443}]}],\"CAs\":[\"-----"
               "\\nPEM\"]}]}") == STATUS_OK,
          "as the service writes it");
    CHECK(s_found.groups == 1u && s_found.core_count == 2u && s_found.ca_count == 1u, "counts");
    CHECK(strcmp(s_found.cores[1].host, "k") == 0 && s_found.cores[1].port == 443u, "core");
    CHECK(strcmp(s_found.cores[0].group, "g") == 0 &&
              strcmp(s_found.cores[0].thing_arn, "arn") == 0,
          "of");
    CHECK(json_string(s_found.cas[0], pem, sizeof pem) == 9 && strcmp(pem, "-----\nPEM") == 0,
          "CA");
    CHECK(find("{\"ggGroups\":[{\"ggGroupId\":\"g\",\"cores\":[{\"connectivity\":["
               "{\"id\":\"i\",\"hostAddress\":\"h\",\"portNumber\":1}]}],\"cas\":[]}]}") ==
              STATUS_OK,
          "keys in the other case");
    CHECK(s_found.core_count == 1u && s_found.cores[0].port == 1u, "keys in the other case");
    CHECK(find("{\"GGGroups\":[]}") == STATUS_OK && s_found.groups == 0u, "none");
    CHECK(find("{}") == STATUS_SYNTAX && find("{\"GGGroups\":1}") == STATUS_SYNTAX, "no list");
    CHECK(find("{\"GGGroups\":[{\"GGGroupId\":\"g\",\"Cores\":[],\"CAs\":[1]}]}") == STATUS_SYNTAX,
          "CA");
    CHECK(find("{\"GGGroups\":[{\"GGGroupId\":\"g\",\"Cores\":[{\"Connectivity\":[{\"HostAddress\":"
               "\"h\","
               "\"PortNumber\":65536}]}],\"CAs\":[]}]}") == STATUS_SYNTAX,
          "port");
}

static void test_discovery_request(void)
{
    char out[200];
    CHECK(discovery_write_request("T", "h", out, sizeof out) == (int)strlen(out), "length");
    CHECK(strcmp(
              out,
              "GET /greengrass/discover/thing/T HTTP/1.1\r\nHost: h\r\nAccept: application/json\r\n"
              "Connection: close\r\n\r\n") == 0,
          out);
    CHECK(discovery_write_request("T", "h", out, 50) == STATUS_SPACE, "space");
    CHECK(discovery_write_request("T/..", "h", out, sizeof out) == STATUS_VALUE, "no name");
    CHECK(discovery_write_request("T", "h\r\nX: y", out, sizeof out) == STATUS_VALUE, "header");
}

void test_shadow(void)
{
    test_topics();
    test_requests();
    test_messages();
    test_malformed_messages();
    test_discovery();
    test_discovery_request();
}
