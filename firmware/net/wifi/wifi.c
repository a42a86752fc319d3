// SPDX-License-Identifier: MIT
// On and off, settings, addresses, names and ping. Networks: wifi_network.c.
#include "at_channel.h"
#include "wifi_internal.h"

#include <string.h>

enum { SLEEP_MODES = 4 };

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

status_t wifi_say(status_t status, const char *fault)
{
    s_fault = status == STATUS_OK ? "" : fault;
    return status;
}

// ---- on and off --------------------------------------------------------------------------------

status_t wifi_order(const char *command)
{
    (void)at_begin(command);
    status_t status = at_run(WIFI_ANSWER_MS);
    at_end();
    return wifi_say(status, status == STATUS_TIMEOUT ? "the module does not answer" : command);
}

static void wifi_keep_version(void)
{
    (void)at_begin("AT+GMR");
    const char *said = at_run(WIFI_ANSWER_MS) == STATUS_OK ? at_answer("AT version:", 0) : NULL;
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
    status = status == STATUS_OK ? wifi_order("AT+CIPRECVMODE=1") : status;
    if (status == STATUS_REFUSED) {
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

bool wifi_started_anew(void)
{
    return at_state().starts != s_starts;
}

status_t wifi_require(void)
{
    if (!s_on) {
        return wifi_say(STATUS_ABSENT, "off");
    }
    return wifi_started_anew() ? wifi_set_up() : STATUS_OK;
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
    status = at_run(WIFI_ANSWER_MS);
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
    status = at_run(WIFI_ANSWER_MS);
    at_end();
    return wifi_say(status, begin);
}

status_t wifi_get_mode(wifi_mode_t *mode)
{
    int32_t number = 0;
    status_t status = wifi_ask_number("AT+CWMODE?", "+CWMODE:", &number);
    if (status == STATUS_OK && (number < 0 || number > WIFI_MODE_BOTH)) {
        status = wifi_say(STATUS_SYNTAX, "AT+CWMODE?");
        number = 0;
    }
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

status_t wifi_mac(char mac[WIFI_MAC_TEXT_BYTES])
{
    return wifi_ask("AT+CIPSTAMAC?", "+CIPSTAMAC:", 0, mac, WIFI_MAC_TEXT_BYTES);
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

static bool wifi_is_no_address(const uint8_t address[4])
{
    static const uint8_t s_none[4] = {0};
    return memcmp(address, s_none, sizeof s_none) == 0;
}

status_t wifi_address(net_address_t *address)
{
    memset(address, 0, sizeof *address);
    char mac[WIFI_MAC_TEXT_BYTES];
    status_t status = wifi_mac(mac);
    if (status != STATUS_OK || !at_text_mac(mac, address->mac)) {
        return status == STATUS_OK ? wifi_say(STATUS_SYNTAX, "AT+CIPSTAMAC?") : status;
    }
    (void)at_begin("AT+CIPSTA?");
    status = at_run(WIFI_ANSWER_MS);
    wifi_take_address("+CIPSTA:ip:", 0, address->address);
    wifi_take_address("+CIPSTA:gateway:", 0, address->gateway);
    wifi_take_address("+CIPSTA:netmask:", 0, address->mask);
    at_end();
    (void)at_begin("AT+CIPDNS?");
    if (at_run(WIFI_ANSWER_MS) == STATUS_OK) {
        wifi_take_address("+CIPDNS:", 1, address->dns);
    }
    at_end();
    if (status == STATUS_OK && wifi_is_no_address(address->address)) {
        return wifi_say(STATUS_CLOSED, "no address");
    }
    return wifi_say(status, "AT+CIPSTA?");
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
    } else if (status == STATUS_OK && wifi_is_no_address(address)) {
        status = STATUS_UNKNOWN; // some modules have no other word for it
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
    status = at_run(WIFI_ANSWER_MS);
    const char *said = at_answer("+PING:", 0);
    bool answered = status == STATUS_OK && said != NULL && at_text_number(said, 0, &number);
    at_end();
    *took_ms = (uint32_t)number;
    if (!answered && (status == STATUS_OK || status == STATUS_REFUSED)) {
        status = STATUS_TIMEOUT;
    }
    return wifi_say(status, "no answer");
}
