// SPDX-License-Identifier: MIT
#include "wifi_store.h"

#include "platform.h"
#include "record_pair.h"
#include "wipe.h"

#include <string.h>

typedef struct {
    uint32_t form; // of this struct
    wifi_kept_t kept[WIFI_STORE_COUNT];
} table_t;

enum { FORM = 1 };

static table_t s_table; // only while it is looked at: it holds keys

// ---- flash -------------------------------------------------------------------------------------

static const uint8_t *store_area(size_t area)
{
    return (const uint8_t *)(PLATFORM_NETWORKS_AT + area * PLATFORM_NETWORKS_AREA_BYTES);
}

static status_t store_erase(size_t area)
{
    return platform_flash_erase((uintptr_t)store_area(area));
}

static status_t store_write(size_t area, size_t place, const uint32_t *words, size_t length)
{
    return platform_flash_write((uintptr_t)store_area(area) + place, words, length);
}

static const record_flash_t s_flash = {PLATFORM_NETWORKS_AREA_BYTES, store_area, store_erase,
                                       store_write};

_Static_assert(sizeof(table_t) + RECORD_HEADER_BYTES <= PLATFORM_NETWORKS_AREA_BYTES,
               "the table fits an area");

static void store_load(void)
{
    const uint8_t *bytes = NULL;
    size_t length = 0;
    bool found = record_load(&s_flash, &bytes, &length) == STATUS_OK && length == sizeof s_table;
    if (found) {
        memcpy(&s_table, bytes, sizeof s_table);
    }
    if (!found || s_table.form != FORM) {
        memset(&s_table, 0, sizeof s_table);
        s_table.form = FORM;
    }
    (void)record_scrub(&s_flash); // what a cut of power left of an older table
}

static void store_unload(void)
{
    wipe(&s_table, sizeof s_table);
}

// The table before it is erased: it may hold the key of a network that is in none any more.
static status_t store_save(void)
{
    status_t status = record_save(&s_flash, &s_table, sizeof s_table);
    if (status == STATUS_OK) {
        (void)record_scrub(&s_flash); // if flash refuses, it is tried again with the next look
    }
    return status;
}

// ---- networks ----------------------------------------------------------------------------------

static size_t store_place_for(const char *ssid)
{
    size_t free_place = WIFI_STORE_COUNT;
    for (size_t i = WIFI_STORE_COUNT; i-- > 0u;) {
        if (strcmp(s_table.kept[i].ssid, ssid) == 0) {
            return i;
        }
        free_place = s_table.kept[i].ssid[0] == '\0' ? i : free_place;
    }
    return free_place;
}

// Puts a network into the table and keeps that; returns its place.
static int32_t store_put(const char *ssid, const char *key, wifi_security_t security)
{
    size_t place = store_place_for(ssid);
    if (place == WIFI_STORE_COUNT) {
        return STATUS_SPACE;
    }
    wifi_kept_t *kept = &s_table.kept[place];
    memset(kept, 0, sizeof *kept);
    memcpy(kept->ssid, ssid, strlen(ssid));
    memcpy(kept->key, key, strlen(key));
    kept->security = (uint8_t)security;
    status_t status = store_save();
    return status == STATUS_OK ? (int32_t)place : (int32_t)status;
}

int32_t wifi_store_add(const char *ssid, const char *key, wifi_security_t security)
{
    status_t status = wifi_check_ssid(ssid);
    status = status == STATUS_OK ? wifi_check_key(key, security) : status;
    if (status != STATUS_OK) {
        return (int32_t)status;
    }
    store_load();
    int32_t place = store_put(ssid, key, security);
    store_unload();
    return place;
}

status_t wifi_store_get(size_t place, wifi_kept_t *kept)
{
    if (place >= WIFI_STORE_COUNT) {
        return STATUS_RANGE;
    }
    store_load();
    *kept = s_table.kept[place];
    store_unload();
    return kept->ssid[0] != '\0' ? STATUS_OK : STATUS_UNKNOWN;
}

status_t wifi_store_delete(size_t place)
{
    status_t status = STATUS_UNKNOWN;
    if (place >= WIFI_STORE_COUNT) {
        return STATUS_RANGE;
    }
    store_load();
    if (s_table.kept[place].ssid[0] != '\0') {
        memset(&s_table.kept[place], 0, sizeof s_table.kept[place]);
        status = store_save();
    }
    store_unload();
    return status;
}
