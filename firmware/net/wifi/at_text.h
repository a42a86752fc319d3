// SPDX-License-Identifier: MIT
// Text of the ESP-AT commands: building a command with texts in quotes, reading the fields of an
// answer, and what may be a network's name and key. Pure.
#ifndef AT_TEXT_H
#define AT_TEXT_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AT_COMMAND_BYTES = 256,
    WIFI_SSID_BYTES = 32,    // IEEE 802.11, 9.4.2.2
    WIFI_KEY_SHORTEST = 8,   // IEEE 802.11, J.4
    WIFI_KEY_BYTES = 63,     // the same
    WIFI_CHANNEL_LAST = 13,  // of the 2.4 GHz band
    WIFI_HOST_BYTES = 128,   // of a host name that is resolved
    WIFI_MAC_TEXT_BYTES = 18 // with NUL
};

// How a network is guarded, by the numbers of AT+CWLAP.
typedef enum {
    WIFI_OPEN = 0,
    WIFI_WEP = 1,
    WIFI_WPA = 2,
    WIFI_WPA2 = 3,
    WIFI_WPA3 = 6
} wifi_security_t;

// A command being built. What does not fit, or cannot be said in a command, makes it unfit.
typedef struct {
    char text[AT_COMMAND_BYTES];
    size_t length;
    bool unfit;
} at_text_t;

// Starts a command, such as "AT+CWJAP=".
void at_text_begin(at_text_t *command, const char *begin);

// Add to it: text as it is, a number, a text in quotes. A text with a control character is unfit:
// it could end the line and begin another command.
void at_text_add(at_text_t *command, const char *text);
void at_text_add_number(at_text_t *command, uint32_t number);
void at_text_add_quoted(at_text_t *command, const char *text);

// Field `index` of an answer's comma-separated fields at `text`, without quotes and escapes, into
// `out` of `size` bytes with NUL. False if there is no such field or it does not fit.
bool at_text_field(const char *text, size_t index, char *out, size_t size);

// The same, as a decimal number that may be negative.
bool at_text_number(const char *text, size_t index, int32_t *number);

// Dotted number `1.2.3.4`, or `aa:bb:cc:dd:ee:ff`, as bytes; false if it is none.
bool at_text_address(const char *text, uint8_t address[4]);
bool at_text_mac(const char *text, uint8_t mac[6]);

// STATUS_OK if these may be the name of a network, and the key of a network so guarded;
// STATUS_LONG if too long, STATUS_VALUE if too short or not printable.
status_t wifi_check_ssid(const char *ssid);
status_t wifi_check_key(const char *key, wifi_security_t security);

#endif
