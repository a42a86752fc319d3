// SPDX-License-Identifier: MIT
// Commands about Wi-Fi. They run in the console task: all that takes long is the module's.
#include "at_channel.h"
#include "commands_table.h"
#include "console.h"
#include "wifi.h"
#include "wifi_store.h"

#include <string.h>

enum { ON_MS = 3000, SCAN_MS = 10000, JOIN_MS = 20000, HOST_MS = 5000, SCAN_ROWS = 24 };

static const char *const s_modes[] = {"off", "station", "ap", "both"};
static const char *const s_sleeps[] = {"none", "modem", "light", "listen"};

static const struct {
    const char *word;
    wifi_security_t security;
} s_securities[] = {{"open", WIFI_OPEN},
                    {"wep", WIFI_WEP},
                    {"wpa", WIFI_WPA},
                    {"wpa2", WIFI_WPA2},
                    {"wpa3", WIFI_WPA3}};

enum { SECURITIES = sizeof s_securities / sizeof s_securities[0] };

// ---- words -------------------------------------------------------------------------------------

static void wifi_refuse(reply_t *reply, status_t status)
{
    reply_error(reply, status_word(status), wifi_fault());
}

// Ends the reply if all is well with no more to say, else with the fault.
static void wifi_finish(reply_t *reply, status_t status)
{
    if (status != STATUS_OK) {
        wifi_refuse(reply, status);
    }
}

static uint32_t wifi_time(const argument_value_t *value, uint32_t otherwise)
{
    return value->present ? (uint32_t)value->number : otherwise;
}

static size_t wifi_index(const char *const *words, const char *word)
{
    size_t at = 0;
    while (strcmp(words[at], word) != 0) { // the table of commands lets no other word pass
        at++;
    }
    return at;
}

static const char *wifi_security_word(int32_t security)
{
    for (size_t i = 0; i < SECURITIES; i++) {
        if ((int32_t)s_securities[i].security == security) {
            return s_securities[i].word;
        }
    }
    return "other";
}

// As given; else what a key, or none, means.
static wifi_security_t wifi_security(const argument_value_t *word, const char *key)
{
    for (size_t i = 0; i < SECURITIES && word->present; i++) {
        if (strcmp(s_securities[i].word, word->text) == 0) {
            return s_securities[i].security;
        }
    }
    return key[0] != '\0' ? WIFI_WPA2 : WIFI_OPEN;
}

static void wifi_add_address(line_t *line, const char *key, const uint8_t address[4])
{
    char text[NET_ADDRESS_TEXT_BYTES];
    net_format_address(address, text);
    line_add_text(line, key, text);
}

// ---- on and off --------------------------------------------------------------------------------

void command_wifi_on(const command_call_t *call, reply_t *reply)
{
    status_t status = wifi_on(wifi_time(&call->values[ARG_WIFI_ON_MS], ON_MS));
    if (status != STATUS_OK) {
        wifi_refuse(reply, status);
        return;
    }
    line_add_text(reply_ok(reply), "version", wifi_version());
    reply_send(reply);
}

void command_wifi_off(const command_call_t *call, reply_t *reply)
{
    (void)call;
    (void)reply;
    wifi_off();
}

void command_wifi_reset(const command_call_t *call, reply_t *reply)
{
    wifi_finish(reply, wifi_reset(wifi_time(&call->values[ARG_WIFI_RESET_MS], ON_MS)));
}

void command_wifi_status(const command_call_t *call, reply_t *reply)
{
    (void)call;
    wifi_network_t network;
    bool joined = wifi_is_on() && wifi_joined(&network) == STATUS_OK;
    at_state_t state = at_state(); // after what the module said before its answer
    line_t *line = reply_ok(reply);
    line_add_u32(line, "on", wifi_is_on() ? 1 : 0);
    line_add_u32(line, "joined", joined ? 1 : 0);
    line_add_u32(line, "address", state.has_address ? 1 : 0);
    line_add_text(line, "ssid", joined ? network.ssid : "");
    line_add_text(line, "bssid", joined ? network.bssid : "");
    line_add_i32(line, "channel", joined ? network.channel : 0);
    line_add_i32(line, "rssi", joined ? network.rssi_dbm : 0);
    line_add_u32(line, "starts", state.starts);
    line_add_u32(line, "garbage", state.garbage);
    line_add_u32(line, "lost", state.lost);
    reply_send(reply);
}

void command_wifi_mode(const command_call_t *call, reply_t *reply)
{
    const argument_value_t *wanted = &call->values[ARG_WIFI_MODE_MODE];
    wifi_mode_t mode = WIFI_MODE_OFF;
    status_t status = STATUS_OK;
    if (wanted->present) {
        status = wifi_set_mode((wifi_mode_t)wifi_index(s_modes, wanted->text));
    }
    status = status == STATUS_OK ? wifi_get_mode(&mode) : status;
    if (status != STATUS_OK) {
        wifi_refuse(reply, status);
        return;
    }
    line_add_text(reply_ok(reply), "mode", s_modes[mode]);
    reply_send(reply);
}

void command_wifi_pm(const command_call_t *call, reply_t *reply)
{
    const argument_value_t *wanted = &call->values[ARG_WIFI_PM_MODE];
    int32_t mode = 0;
    status_t status = STATUS_OK;
    if (wanted->present) {
        status = wifi_set_sleep((int32_t)wifi_index(s_sleeps, wanted->text));
    }
    status = status == STATUS_OK ? wifi_get_sleep(&mode) : status;
    if (status != STATUS_OK || mode < 0 || mode > 3) {
        wifi_refuse(reply, status == STATUS_OK ? STATUS_SYNTAX : status);
        return;
    }
    line_add_text(reply_ok(reply), "mode", s_sleeps[mode]);
    reply_send(reply);
}

// ---- networks ----------------------------------------------------------------------------------

void command_wifi_scan(const command_call_t *call, reply_t *reply)
{
    static wifi_network_t s_found[SCAN_ROWS];
    const char *ssid = call->values[ARG_WIFI_SCAN_SSID].text;
    uint32_t timeout_ms = wifi_time(&call->values[ARG_WIFI_SCAN_MS], SCAN_MS);
    int32_t found = wifi_scan(ssid, s_found, SCAN_ROWS, timeout_ms);
    if (found < 0) {
        wifi_refuse(reply, (status_t)found);
        return;
    }
    for (size_t i = 0; i < (size_t)found && i < SCAN_ROWS; i++) {
        line_t *line = reply_data(reply);
        line_add_text(line, "ssid", s_found[i].ssid);
        line_add_text(line, "bssid", s_found[i].bssid);
        line_add_i32(line, "channel", s_found[i].channel);
        line_add_i32(line, "rssi", s_found[i].rssi_dbm);
        line_add_text(line, "security", wifi_security_word(s_found[i].security));
        reply_send(reply);
    }
    line_add_i32(reply_ok(reply), "found", found);
    reply_send(reply);
}

static void wifi_answer_address(reply_t *reply)
{
    net_address_t address;
    status_t status = wifi_address(&address);
    if (status != STATUS_OK) {
        wifi_refuse(reply, status);
        return;
    }
    line_t *line = reply_ok(reply);
    wifi_add_address(line, "address", address.address);
    wifi_add_address(line, "mask", address.mask);
    wifi_add_address(line, "gateway", address.gateway);
    wifi_add_address(line, "dns", address.dns);
    reply_send(reply);
}

void command_wifi_connect(const command_call_t *call, reply_t *reply)
{
    const char *ssid = call->values[ARG_WIFI_CONNECT_SSID].text;
    const char *key = call->values[ARG_WIFI_CONNECT_KEY].text;
    wifi_security_t security = wifi_security(&call->values[ARG_WIFI_CONNECT_SECURITY], key);
    uint32_t timeout_ms = wifi_time(&call->values[ARG_WIFI_CONNECT_MS], JOIN_MS);
    status_t status = wifi_connect(ssid, key, security, timeout_ms);
    if (status != STATUS_OK) {
        wifi_refuse(reply, status);
        return;
    }
    wifi_answer_address(reply);
}

void command_wifi_disconnect(const command_call_t *call, reply_t *reply)
{
    (void)call;
    wifi_finish(reply, wifi_disconnect());
}

void command_wifi_ap(const command_call_t *call, reply_t *reply)
{
    const char *key = call->values[ARG_WIFI_AP_KEY].text;
    wifi_security_t security = wifi_security(&call->values[ARG_WIFI_AP_SECURITY], key);
    int32_t channel = call->values[ARG_WIFI_AP_CHANNEL].number;
    wifi_finish(reply, wifi_offer(call->values[ARG_WIFI_AP_SSID].text, key, security, channel));
}

// ---- networks that are kept --------------------------------------------------------------------

static void wifi_answer_place(reply_t *reply, int32_t place)
{
    if (place < 0) {
        reply_error(reply, status_word((status_t)place), "");
        return;
    }
    line_add_i32(reply_ok(reply), "place", place);
    reply_send(reply);
}

void command_wifi_network_add(const command_call_t *call, reply_t *reply)
{
    const char *key = call->values[ARG_WIFI_NETWORK_ADD_KEY].text;
    wifi_security_t security = wifi_security(&call->values[ARG_WIFI_NETWORK_ADD_SECURITY], key);
    wifi_answer_place(reply,
                      wifi_store_add(call->values[ARG_WIFI_NETWORK_ADD_SSID].text, key, security));
}

void command_wifi_network_get(const command_call_t *call, reply_t *reply)
{
    wifi_kept_t kept;
    status_t status =
        wifi_store_get((size_t)call->values[ARG_WIFI_NETWORK_GET_PLACE].number, &kept);
    if (status != STATUS_OK) {
        wifi_answer_place(reply, (int32_t)status);
        return;
    }
    line_t *line = reply_ok(reply);
    line_add_text(line, "ssid", kept.ssid);
    line_add_text(line, "security", wifi_security_word(kept.security));
    reply_send(reply);
}

void command_wifi_network_delete(const command_call_t *call, reply_t *reply)
{
    int32_t place = call->values[ARG_WIFI_NETWORK_DELETE_PLACE].number;
    status_t status = wifi_store_delete((size_t)place);
    wifi_answer_place(reply, status == STATUS_OK ? place : (int32_t)status);
}

// ---- addresses ---------------------------------------------------------------------------------

void command_wifi_ip(const command_call_t *call, reply_t *reply)
{
    (void)call;
    wifi_answer_address(reply);
}

void command_wifi_mac(const command_call_t *call, reply_t *reply)
{
    (void)call;
    char mac[WIFI_MAC_TEXT_BYTES];
    status_t status = wifi_mac(mac);
    if (status != STATUS_OK) {
        wifi_refuse(reply, status);
        return;
    }
    line_add_text(reply_ok(reply), "mac", mac);
    reply_send(reply);
}

void command_wifi_host(const command_call_t *call, reply_t *reply)
{
    uint8_t address[4];
    uint32_t timeout_ms = wifi_time(&call->values[ARG_WIFI_HOST_MS], HOST_MS);
    status_t status = wifi_resolve(call->values[ARG_WIFI_HOST_HOST].text, address, timeout_ms);
    if (status != STATUS_OK) {
        wifi_refuse(reply, status);
        return;
    }
    wifi_add_address(reply_ok(reply), "address", address);
    reply_send(reply);
}

void command_wifi_ping(const command_call_t *call, reply_t *reply)
{
    const argument_value_t *wanted = &call->values[ARG_WIFI_PING_COUNT];
    uint32_t count = wanted->present ? (uint32_t)wanted->number : 1u, answered = 0, worst_ms = 0;
    status_t status = STATUS_OK;
    for (uint32_t i = 0; i < count && (status == STATUS_OK || status == STATUS_TIMEOUT); i++) {
        uint32_t took_ms = 0;
        status = wifi_ping(call->values[ARG_WIFI_PING_HOST].text, &took_ms);
        answered += status == STATUS_OK ? 1u : 0u;
        worst_ms = took_ms > worst_ms ? took_ms : worst_ms;
    }
    if (answered == 0u) {
        wifi_refuse(reply, status);
        return;
    }
    line_t *line = reply_ok(reply);
    line_add_u32(line, "sent", count);
    line_add_u32(line, "answered", answered);
    line_add_u32(line, "worst_ms", worst_ms);
    reply_send(reply);
}
