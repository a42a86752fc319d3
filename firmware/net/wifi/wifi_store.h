// SPDX-License-Identifier: MIT
// Networks that the board keeps over power, with their keys, in flash outside of the image: two
// areas of one erase sector each at PLATFORM_NETWORKS_AT, of which the newer one counts. From one
// task at a time. A key never comes out again but to join.
#ifndef WIFI_STORE_H
#define WIFI_STORE_H

#include "at_text.h"

enum { WIFI_STORE_COUNT = 8 };

typedef struct {
    char ssid[WIFI_SSID_BYTES + 1];
    char key[WIFI_KEY_BYTES + 1];
    uint8_t security; // wifi_security_t
} wifi_kept_t;

// Keeps a network, in place of the one of that name or else in the first free place; returns its
// place (from 0). STATUS_LONG, STATUS_VALUE: no SSID or key; STATUS_SPACE: all places are taken;
// STATUS_FLASH, STATUS_ABSENT: it cannot be kept.
int32_t wifi_store_add(const char *ssid, const char *key, wifi_security_t security);

// The network in a place. STATUS_UNKNOWN: none is there; STATUS_RANGE: no such place.
status_t wifi_store_get(size_t place, wifi_kept_t *kept);

// Forgets the network in a place. As wifi_store_get(); STATUS_FLASH.
status_t wifi_store_delete(size_t place);

#endif
