// SPDX-License-Identifier: MIT
// The board's Wi-Fi: a module on its second UART that speaks the ESP-AT commands, as a station of
// access points. From tasks; every call waits for the module, at most for the time given or 5 s.
// After an error wifi_fault() has it in words.
#ifndef WIFI_H
#define WIFI_H

#include "at_text.h"
#include "net.h"

enum { WIFI_VERSION_BYTES = 48 };

typedef enum { WIFI_MODE_OFF, WIFI_MODE_STATION, WIFI_MODE_AP, WIFI_MODE_BOTH } wifi_mode_t;

// A network that was heard.
typedef struct {
    char ssid[WIFI_SSID_BYTES + 1];
    char bssid[WIFI_MAC_TEXT_BYTES];
    int32_t rssi_dbm;
    int32_t channel;
    int32_t security; // as AT+CWLAP numbers it; wifi_security_t are those that can be joined
} wifi_network_t;

// The firmware of the module, as it names it. "" before wifi_on().
const char *wifi_version(void);

// Why the last call that failed did so: "key", "no such network", "no address", …; "" else.
const char *wifi_fault(void);

// Starts the module anew and makes it a station. STATUS_OK also if it is on already; STATUS_ABSENT:
// no UART for one; STATUS_TIMEOUT: no module answers.
status_t wifi_on(uint32_t timeout_ms);

// Switches the radio off, ends the reader and closes the UART. Connections over it are gone.
void wifi_off(void);
bool wifi_is_on(void);

// Starts the module anew: it forgets all but stays on.
status_t wifi_reset(uint32_t timeout_ms);

status_t wifi_get_mode(wifi_mode_t *mode);
status_t wifi_set_mode(wifi_mode_t mode);

// Looks which networks are there, or whether that of a name is (ssid not ""). Returns how many
// were found; the first `room` are in `networks`, strongest first.
int32_t wifi_scan(const char *ssid, wifi_network_t *networks, size_t room, uint32_t timeout_ms);

// Joins a network and gets an address; one that was joined is left first. STATUS_LONG,
// STATUS_VALUE: no SSID or key; STATUS_UNKNOWN: not there; STATUS_REFUSED: wrong key, or it lets
// nobody in; STATUS_TIMEOUT: no answer, no address.
status_t wifi_connect(const char *ssid, const char *key, wifi_security_t security,
                      uint32_t timeout_ms);
status_t wifi_disconnect(void);

// Joins the first of the networks kept (wifi_store.h) that is in reach. STATUS_UNKNOWN: none is
// kept, or in reach.
status_t wifi_connect_kept(uint32_t timeout_ms);

// The network that is joined, asked of the module. STATUS_CLOSED: none is.
status_t wifi_joined(wifi_network_t *network);

// The station's MAC address, as the module writes it; its addresses. STATUS_CLOSED: not joined.
status_t wifi_mac(char mac[WIFI_MAC_TEXT_BYTES]);
status_t wifi_address(net_address_t *address);

// As net_stack_t.resolve.
status_t wifi_resolve(const char *host, uint8_t address[4], uint32_t timeout_ms);

// One echo request. STATUS_OK and its time in *took_ms; STATUS_TIMEOUT: nobody answered.
status_t wifi_ping(const char *host, uint32_t *took_ms);

// Power saving: 0 none, 1 modem sleep, 2 light sleep, 3 modem sleep by listen interval.
status_t wifi_get_sleep(int32_t *mode);
status_t wifi_set_sleep(int32_t mode);

// Offers a network of its own, beside being a station; nothing is routed through it.
status_t wifi_offer(const char *ssid, const char *key, wifi_security_t security, int32_t channel);

// This interface, for net.c.
extern const net_interface_t g_wifi_interface;

#endif
