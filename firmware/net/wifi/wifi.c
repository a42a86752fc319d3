// SPDX-License-Identifier: MIT
#include "wifi.h"

#include "at_channel.h"
#include "kernel_compat.h"
#include "wifi_store.h"

#include <string.h>

enum {
    ANSWER_MS = 5000,
    JOIN_MIN_S = 3, // least and most <jap_timeout> of AT+CWJAP
    JOIN_MAX_S = 600,
    JOIN_FAULTS = 5,
    SLEEP_MODES = 4,
};

static bool s_on;
static uint32_t s_starts; // of the module, that its settings are known to be from
static const char *s_fault = "";
static char s_version[WIFI_VERSION_BYTES];

const char *wifi_version(void)
{
    return s_version;
}

const char *wifi_fault(void)
{
    return s_fault;
}

static status_t wifi_say(status_t status, const char *fault)
{
    s_fault = status == STATUS_OK ? "" : fault;
    return status;
}

// ---- on and off --------------------------------------------------------------------------------

// A command without an answer but OK: a whole turn.
static status_t wifi_order(const char *command)
{
    (void)at_begin(command);
    status_t status = at_run(ANSWER_MS);
    at_end();
    return wifi_say(status, status == STATUS_TIMEOUT ? "the module does not answer" : command);
}

static void wifi_keep_version(void)
{
    (void)at_begin("AT+GMR");
    const char *said = at_run(ANSWER_MS) == STATUS_OK ? at_answer("AT version:", 0) : NULL;
    s_version[0] = '\0';
    if (said != NULL) {
        (void)at_text_field(said, 0, s_version, sizeof s_version);
    }
    at_end();
}

// What every start of the module needs. Nothing is kept in the module: our networks are ours.
static status_t wifi_set_up(void)
{
    static const char *const s_orders[] = {"ATE0", "AT+SYSSTORE=0", "AT+CWMODE=1", "AT+CIPMUX=1"};
    status_t status = STATUS_OK;
    uint32_t starts = at_state().starts;
    for (size_t i = 0; i < sizeof s_orders / sizeof s_orders[0] && status == STATUS_OK; i++) {
        status = wifi_order(s_orders[i]);
    }
    if (status == STATUS_OK && wifi_order("AT+CIPRECVMODE=1") == STATUS_REFUSED) {
        status = wifi_order("AT+CIPRECVTYPE=5,1"); // its name since ESP-AT 4
    }
    s_starts = starts;
    return status;
}

static status_t wifi_restart(uint32_t timeout_ms)
{
    (void)at_begin("AT+RST");
    status_t status = at_run_restart(timeout_ms);
    at_end();
    return status;
}

status_t wifi_on(uint32_t timeout_ms)
{
    if (s_on) {
        return wifi_say(STATUS_OK, "");
    }
    status_t status = at_start();
    if (status != STATUS_OK) {
        return wifi_say(status, "no UART for a module");
    }
    status = wifi_restart(timeout_ms);
    if (status == STATUS_TIMEOUT) { // it may have been amid its own start
        status = wifi_restart(timeout_ms);
    }
    status = status == STATUS_OK ? wifi_set_up() : wifi_say(status, "the module does not answer");
    if (status != STATUS_OK) {
        at_stop();
        return status;
    }
    s_on = true;
    wifi_keep_version();
    return STATUS_OK;
}

void wifi_off(void)
{
    if (s_on) {
        s_on = false;
        (void)wifi_order("AT+CWMODE=0");
        at_stop();
    }
    s_fault = "";
}

bool wifi_is_on(void)
{
    return s_on;
}

status_t wifi_reset(uint32_t timeout_ms)
{
    if (!s_on) {
        return wifi_say(STATUS_ABSENT, "off");
    }
    status_t status = wifi_restart(timeout_ms);
    return status == STATUS_OK ? wifi_set_up() : wifi_say(status, "the module does not answer");
}

// On, and the module is as it was set up: one that started by itself has forgotten it.
static status_t wifi_require(void)
{
    if (!s_on) {
        return wifi_say(STATUS_ABSENT, "off");
    }
    return at_state().starts == s_starts ? STATUS_OK : wifi_set_up();
}

// ---- questions ---------------------------------------------------------------------------------

// Asks, and takes field `index` of the answer behind `prefix` into `out`. STATUS_CLOSED: it has no
// such line.
static status_t wifi_ask(const char *command, const char *prefix, size_t index, char *out,
                         size_t size)
{
    status_t status = wifi_require();
    if (status != STATUS_OK) {
        return status;
    }
    (void)at_begin(command);
    status = at_run(ANSWER_MS);
    if (status == STATUS_OK) {
        const char *said = at_answer(prefix, 0);
        bool found = said != NULL && at_text_field(said, index, out, size);
        status = found ? STATUS_OK : STATUS_CLOSED;
    }
    at_end();
    return wifi_say(status, command);
}

static status_t wifi_ask_number(const char *command, const char *prefix, int32_t *number)
{
    char text[12];
    status_t status = wifi_ask(command, prefix, 0, text, sizeof text);
    if (status == STATUS_OK && !at_text_number(text, 0, number)) {
        return wifi_say(STATUS_SYNTAX, command);
    }
    return status;
}

// Tells the module a number that it keeps.
static status_t wifi_set_number(const char *begin, uint32_t number)
{
    status_t status = wifi_require();
    if (status != STATUS_OK) {
        return status;
    }
    at_text_add_number(at_begin(begin), number);
    status = at_run(ANSWER_MS);
    at_end();
    return wifi_say(status, begin);
}

status_t wifi_get_mode(wifi_mode_t *mode)
{
    int32_t number = 0;
    status_t status = wifi_ask_number("AT+CWMODE?", "+CWMODE:", &number);
    *mode = (wifi_mode_t)number;
    return status;
}

status_t wifi_set_mode(wifi_mode_t mode)
{
    if ((uint32_t)mode > WIFI_MODE_BOTH) {
        return wifi_say(STATUS_VALUE, "mode");
    }
    return wifi_set_number("AT+CWMODE=", (uint32_t)mode);
}

status_t wifi_get_sleep(int32_t *mode)
{
    return wifi_ask_number("AT+SLEEP?", "+SLEEP:", mode);
}

status_t wifi_set_sleep(int32_t mode)
{
    if (mode < 0 || mode >= SLEEP_MODES) {
        return wifi_say(STATUS_VALUE, "mode");
    }
    return wifi_set_number("AT+SLEEP=", (uint32_t)mode);
}

status_t wifi_mac(uint8_t mac[6])
{
    char text[WIFI_MAC_TEXT_BYTES];
    status_t status = wifi_ask("AT+CIPSTAMAC?", "+CIPSTAMAC:", 0, text, sizeof text);
    if (status == STATUS_OK && !at_text_mac(text, mac)) {
        return wifi_say(STATUS_SYNTAX, "AT+CIPSTAMAC?");
    }
    return status;
}

static void wifi_take_address(const char *prefix, size_t index, uint8_t address[4])
{
    char text[16];
    const char *said = at_answer(prefix, 0);
    if (said == NULL || !at_text_field(said, index, text, sizeof text) ||
        !at_text_address(text, address)) {
        memset(address, 0, 4);
    }
}

status_t wifi_address(net_address_t *address)
{
    memset(address, 0, sizeof *address);
    status_t status = wifi_mac(address->mac);
    if (status != STATUS_OK) {
        return status;
    }
    (void)at_begin("AT+CIPSTA?");
    status = at_run(ANSWER_MS);
    wifi_take_address("+CIPSTA:ip:", 0, address->address);
    wifi_take_address("+CIPSTA:gateway:", 0, address->gateway);
    wifi_take_address("+CIPSTA:netmask:", 0, address->mask);
    at_end();
    (void)at_begin("AT+CIPDNS?");
    if (at_run(ANSWER_MS) == STATUS_OK) {
        wifi_take_address("+CIPDNS:", 1, address->dns);
    }
    at_end();
    static const uint8_t s_none[4] = {0};
    if (status == STATUS_OK && memcmp(address->address, s_none, sizeof s_none) == 0) {
        return wifi_say(STATUS_CLOSED, "no address");
    }
    return wifi_say(status, "AT+CIPSTA?");
}

// ---- networks ----------------------------------------------------------------------------------

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

status_t wifi_connect(const char *ssid, const char *key, wifi_security_t security,
                      uint32_t timeout_ms)
{
    status_t status = wifi_check_ssid(ssid);
    if (status != STATUS_OK) {
        return wifi_say(status, "ssid");
    }
    status = wifi_check_key(key, security);
    if (status != STATUS_OK) {
        return wifi_say(status, "key");
    }
    status = wifi_require();
    return status == STATUS_OK ? wifi_join(ssid, key, timeout_ms) : status;
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
    status = at_run(ANSWER_MS);
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
    status_t status = STATUS_UNKNOWN;
    for (size_t i = 0; i < WIFI_STORE_COUNT && status != STATUS_OK; i++) {
        wifi_kept_t kept;
        if (wifi_store_get(i, &kept) == STATUS_OK) {
            status = wifi_connect(kept.ssid, kept.key, (wifi_security_t)kept.security, timeout_ms);
        }
    }
    return wifi_say(status, s_fault[0] != '\0' ? s_fault : "no network is kept");
}

// ---- services ----------------------------------------------------------------------------------

static status_t wifi_check_host(const char *host)
{
    size_t length = strlen(host);
    status_t status = length > WIFI_HOST_BYTES ? STATUS_LONG : STATUS_OK;
    return length == 0u ? STATUS_VALUE : status;
}

status_t wifi_resolve(const char *host, uint8_t address[4], uint32_t timeout_ms)
{
    status_t status = wifi_check_host(host);
    if (status != STATUS_OK || at_text_address(host, address)) {
        return wifi_say(status, "host");
    }
    status = wifi_require();
    if (status != STATUS_OK) {
        return status;
    }
    at_text_add_quoted(at_begin("AT+CIPDOMAIN="), host);
    status = at_run(timeout_ms);
    wifi_take_address("+CIPDOMAIN:", 0, address);
    at_end();
    if (status == STATUS_REFUSED) {
        status = at_state().has_address ? STATUS_UNKNOWN : STATUS_ABSENT;
    }
    return wifi_say(status, "no such name");
}

status_t wifi_ping(const char *host, uint32_t *took_ms)
{
    int32_t number = 0;
    status_t status = wifi_check_host(host);
    if (status != STATUS_OK) {
        return wifi_say(status, "host");
    }
    status = wifi_require();
    if (status != STATUS_OK) {
        return status;
    }
    at_text_add_quoted(at_begin("AT+PING="), host);
    status = at_run(ANSWER_MS);
    const char *said = at_answer("+PING:", 0);
    bool answered = status == STATUS_OK && said != NULL && at_text_number(said, 0, &number);
    at_end();
    *took_ms = (uint32_t)number;
    if (!answered && (status == STATUS_OK || status == STATUS_REFUSED)) {
        status = STATUS_TIMEOUT;
    }
    return wifi_say(status, "no answer");
}

status_t wifi_offer(const char *ssid, const char *key, wifi_security_t security, int32_t channel)
{
    status_t status = wifi_check_ssid(ssid);
    if (status != STATUS_OK) {
        return wifi_say(status, "ssid");
    }
    status = wifi_check_key(key, security);
    if (status != STATUS_OK) {
        return wifi_say(status, "key");
    }
    status = channel < 1 || channel > WIFI_CHANNEL_LAST ? wifi_say(STATUS_VALUE, "channel")
                                                        : wifi_set_mode(WIFI_MODE_BOTH);
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
    status = at_run(ANSWER_MS);
    at_end();
    return wifi_say(status, "AT+CWSAP");
}
