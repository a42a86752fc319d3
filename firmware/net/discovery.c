// SPDX-License-Identifier: MIT
#include "discovery.h"

#include <string.h>

static void discovery_add(char *out, size_t size, size_t *length, const char *text)
{
    size_t count = strlen(text);
    if (*length + count < size) {
        memcpy(out + *length, text, count + 1u);
    }
    *length += count;
}

int discovery_write_request(const char *thing, const char *host, char *out, size_t size)
{
    static const char s_allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789:_-";
    size_t length = 0;
    if (thing[0] == '\0' || thing[strspn(thing, s_allowed)] != '\0' ||
        host[strcspn(host, " \r\n")] != '\0') {
        return STATUS_VALUE;
    }
    discovery_add(out, size, &length, "GET /greengrass/discover/thing/");
    discovery_add(out, size, &length, thing);
    discovery_add(out, size, &length, " HTTP/1.1\r\nHost: ");
    discovery_add(out, size, &length, host);
    discovery_add(out, size, &length, "\r\nAccept: application/json\r\nConnection: close\r\n\r\n");
    return length < size ? (int)length : STATUS_SPACE;
}

// A text that is kept as far as it fits; one that is missing is "".
static bool discovery_text(json_t object, const char *key, char out[DISCOVERY_TEXT_BYTES])
{
    json_t value;
    out[0] = '\0';
    return json_member_any_case(object, key, &value) &&
           json_string(value, out, DISCOVERY_TEXT_BYTES) >= 0;
}

static bool discovery_port(json_t entry, uint16_t *port)
{
    json_t value;
    uint32_t number;
    if (!json_member_any_case(entry, "PortNumber", &value) || !json_u32(value, &number) ||
        number == 0u || number > UINT16_MAX) {
        return false;
    }
    *port = (uint16_t)number;
    return true;
}

static bool discovery_read_entry(json_t entry, const discovery_core_t *about,
                                 discovery_t *discovery)
{
    discovery_core_t core = *about;
    (void)discovery_text(entry, "Id", core.id);
    if (!discovery_text(entry, "HostAddress", core.host) || !discovery_port(entry, &core.port)) {
        return false;
    }
    if (discovery->core_count < DISCOVERY_CORES) {
        discovery->cores[discovery->core_count] = core;
    }
    discovery->core_count++;
    return true;
}

static bool discovery_read_core(json_t core, discovery_core_t *about, discovery_t *discovery)
{
    json_t key, list, entry = {NULL, 0};
    (void)discovery_text(core, "thingArn", about->thing_arn);
    if (!json_member_any_case(core, "Connectivity", &list)) {
        return false;
    }
    while (json_next(list, &key, &entry)) {
        if (!discovery_read_entry(entry, about, discovery)) {
            return false;
        }
    }
    return true;
}

static bool discovery_read_cas(json_t group, discovery_t *discovery)
{
    json_t key, list, ca = {NULL, 0};
    if (!json_member_any_case(group, "CAs", &list)) {
        return false;
    }
    while (json_next(list, &key, &ca)) {
        if (ca.text[0] != '"') {
            return false;
        }
        if (discovery->ca_count < DISCOVERY_CAS) {
            discovery->cas[discovery->ca_count] = ca;
        }
        discovery->ca_count++;
    }
    return true;
}

static bool discovery_read_group(json_t group, discovery_t *discovery)
{
    json_t key, list, core = {NULL, 0};
    discovery_core_t about = {.port = 0};
    if (!discovery_text(group, "GGGroupId", about.group) ||
        !json_member_any_case(group, "Cores", &list)) {
        return false;
    }
    while (json_next(list, &key, &core)) {
        if (!discovery_read_core(core, &about, discovery)) {
            return false;
        }
    }
    discovery->groups++;
    return discovery_read_cas(group, discovery);
}

status_t discovery_read(const void *body, size_t length, discovery_t *discovery)
{
    json_t document, list, key, group = {NULL, 0};
    memset(discovery, 0, sizeof *discovery);
    if (json_read(body, length, &document) != STATUS_OK ||
        !json_member_any_case(document, "GGGroups", &list) || list.text[0] != '[') {
        return STATUS_SYNTAX;
    }
    while (json_next(list, &key, &group)) {
        if (!discovery_read_group(group, discovery)) {
            return STATUS_SYNTAX;
        }
    }
    return STATUS_OK;
}
