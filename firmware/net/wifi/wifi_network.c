// SPDX-License-Identifier: MIT
// Networks: scan, join and leave, the networks that are kept, one of our own.
#include "at_channel.h"
#include "wifi_internal.h"
#include "wifi_store.h"
#include "wipe.h"

#include <string.h>

enum {
    JOIN_MIN_S = 3, // least and most <jap_timeout> of AT+CWJAP
    JOIN_MAX_S = 600,
    JOIN_FAULTS = 5,
};

static bool wifi_parse_network(const char *said, wifi_network_t *network)
{
    return at_text_number(said, 0, &network->security) &&
           at_text_field(said, 1, network->ssid, sizeof network->ssid) &&
           at_text_number(said, 2, &network->rssi_dbm) &&
           at_text_field(said, 3, network->bssid, sizeof network->bssid) &&
           at_text_number(said, 4, &network->channel);
}

// Puts a network in its place among the strongest so far.
static void wifi_rank(wifi_network_t *networks, size_t room, size_t count,
                      const wifi_network_t *network)
{
    size_t at = count < room ? count : room;
    while (at > 0u && networks[at - 1u].rssi_dbm < network->rssi_dbm) {
        if (at < room) {
            networks[at] = networks[at - 1u];
        }
        at--;
    }
    if (at < room) {
        networks[at] = *network;
    }
}

int32_t wifi_scan(const char *ssid, wifi_network_t *networks, size_t room, uint32_t timeout_ms)
{
    status_t status = ssid[0] != '\0' ? wifi_check_ssid(ssid) : STATUS_OK;
    if (status != STATUS_OK) {
        return (int32_t)wifi_say(status, "ssid");
    }
    status = wifi_require();
    if (status != STATUS_OK) {
        return (int32_t)status;
    }
    at_text_t *command = at_begin(ssid[0] != '\0' ? "AT+CWLAP=" : "AT+CWLAP");
    if (ssid[0] != '\0') {
        at_text_add_quoted(command, ssid);
    }
    status = at_run(timeout_ms);
    size_t count = 0;
    const char *said = NULL;
    for (size_t i = 0; status == STATUS_OK && (said = at_answer("+CWLAP:(", i)) != NULL; i++) {
        wifi_network_t network;
        if (wifi_parse_network(said, &network)) {
            wifi_rank(networks, room, count++, &network);
        }
    }
    at_end();
    (void)wifi_say(status, "scan");
    return status == STATUS_OK ? (int32_t)count : (int32_t)status;
}

// What `+CWJAP:<error code>` means.
static status_t wifi_join_fault(int32_t code)
{
    static const struct {
        status_t status;
        const char *fault;
    } s_faults[JOIN_FAULTS] = {
        {STATUS_REFUSED, "failed"}, {STATUS_TIMEOUT, "no answer, or no address"},
        {STATUS_REFUSED, "key"},    {STATUS_UNKNOWN, "no such network"},
        {STATUS_REFUSED, "failed"},
    };
    size_t row = code >= 0 && code < JOIN_FAULTS ? (size_t)code : 0u;
    return wifi_say(s_faults[row].status, s_faults[row].fault);
}

// The module is given less time than we wait, so that it is the one that gives up.
static uint32_t wifi_join_limit_s(uint32_t timeout_ms)
{
    uint32_t limit_s = timeout_ms / 1000u;
    limit_s = limit_s > JOIN_MIN_S ? limit_s - 1u : JOIN_MIN_S;
    return limit_s < JOIN_MAX_S ? limit_s : JOIN_MAX_S;
}

static status_t wifi_join(const char *ssid, const char *key, uint32_t timeout_ms)
{
    at_text_t *command = at_begin("AT+CWJAP=");
    at_text_add_quoted(command, ssid);
    at_text_add(command, ",");
    at_text_add_quoted(command, key);
    at_text_add(command, ",,,,,,");
    at_text_add_number(command, wifi_join_limit_s(timeout_ms));
    status_t status = at_run(timeout_ms);
    int32_t code = 0;
    const char *said = status == STATUS_REFUSED ? at_answer("+CWJAP:", 0) : NULL;
    if (said != NULL) {
        (void)at_text_number(said, 0, &code);
    }
    at_end();
    return status == STATUS_REFUSED ? wifi_join_fault(code) : wifi_say(status, "the module");
}

static status_t wifi_check(const char *ssid, const char *key, wifi_security_t security)
{
    status_t status = wifi_check_ssid(ssid);
    if (status != STATUS_OK) {
        return wifi_say(status, "ssid");
    }
    return wifi_say(wifi_check_key(key, security), "key");
}

status_t wifi_connect(const char *ssid, const char *key, wifi_security_t security,
                      uint32_t timeout_ms)
{
    status_t status = wifi_check(ssid, key, security);
    status = status == STATUS_OK ? wifi_require() : status;
    status = status == STATUS_OK ? wifi_join(ssid, key, timeout_ms) : status;
    bool starting = status == STATUS_CLOSED || (status == STATUS_REFUSED && wifi_started_anew());
    if (starting) { // it was starting when we asked: once more, set up
        status = wifi_require();
        status = status == STATUS_OK ? wifi_join(ssid, key, timeout_ms) : status;
    }
    return status;
}

status_t wifi_disconnect(void)
{
    status_t status = wifi_require();
    return status == STATUS_OK ? wifi_order("AT+CWQAP") : status;
}

status_t wifi_joined(wifi_network_t *network)
{
    status_t status = wifi_require();
    if (status != STATUS_OK) {
        return status;
    }
    (void)at_begin("AT+CWJAP?");
    status = at_run(WIFI_ANSWER_MS);
    const char *said = status == STATUS_OK ? at_answer("+CWJAP:", 0) : NULL;
    memset(network, 0, sizeof *network);
    if (status == STATUS_OK) {
        bool whole = said != NULL && at_text_field(said, 0, network->ssid, sizeof network->ssid) &&
                     at_text_field(said, 1, network->bssid, sizeof network->bssid) &&
                     at_text_number(said, 2, &network->channel) &&
                     at_text_number(said, 3, &network->rssi_dbm);
        status = whole ? STATUS_OK : STATUS_CLOSED;
    }
    at_end();
    return wifi_say(status, "not joined");
}

status_t wifi_connect_kept(uint32_t timeout_ms)
{
    status_t status = wifi_say(STATUS_UNKNOWN, "no network is kept");
    for (size_t i = 0; i < WIFI_STORE_COUNT && status != STATUS_OK; i++) {
        wifi_kept_t kept;
        if (wifi_store_get(i, &kept) == STATUS_OK) {
            status = wifi_connect(kept.ssid, kept.key, (wifi_security_t)kept.security, timeout_ms);
        }
        wipe(&kept, sizeof kept);
    }
    return status;
}

status_t wifi_offer(const char *ssid, const char *key, wifi_security_t security, int32_t channel)
{
    status_t status = wifi_check(ssid, key, security);
    if (status == STATUS_OK && (channel < 1 || channel > WIFI_CHANNEL_LAST)) {
        status = wifi_say(STATUS_VALUE, "channel");
    }
    status = status == STATUS_OK ? wifi_set_mode(WIFI_MODE_BOTH) : status;
    if (status != STATUS_OK) {
        return status;
    }
    at_text_t *command = at_begin("AT+CWSAP=");
    at_text_add_quoted(command, ssid);
    at_text_add(command, ",");
    at_text_add_quoted(command, key);
    at_text_add(command, ",");
    at_text_add_number(command, (uint32_t)channel);
    at_text_add(command, ",");
    at_text_add_number(command, (uint32_t)security);
    status = at_run(WIFI_ANSWER_MS);
    at_end();
    return wifi_say(status, "AT+CWSAP");
}
