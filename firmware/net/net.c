// SPDX-License-Identifier: MIT
#include "net.h"

#include "line.h"
#include "lwip_ethernet.h"
#include "mqtt_task.h"
#include "net_work.h"
#include "wifi.h"

#include <string.h>

// Interfaces of this image; `net.up` takes the first one if none is named.
static const net_interface_t *const s_interfaces[] = {
    &g_lwip_ethernet, &g_wifi_interface,
    NULL, // behind the last one
};

static const net_interface_t *s_up;

static const net_interface_t *net_find(const char *name)
{
    const net_interface_t *const *at = s_interfaces;
    while (*at != NULL && name[0] != '\0' && strcmp((*at)->stack->name, name) != 0) {
        at++;
    }
    return *at;
}

status_t net_up(const char *name, uint32_t timeout_ms)
{
    const net_interface_t *wanted = net_find(name);
    if (wanted == NULL) {
        return STATUS_UNKNOWN;
    }
    if (wanted == s_up) {
        return STATUS_OK;
    }
    net_down();
    status_t status = wanted->up(timeout_ms);
    if (status == STATUS_OK) {
        s_up = wanted;
    }
    return status;
}

void net_down(void)
{
    const net_interface_t *was = s_up;
    mqtt_task_end();
    s_up = NULL;
    if (was != NULL) {
        was->down();
    }
}

void net_format_address(const uint8_t address[4], char text[NET_ADDRESS_TEXT_BYTES])
{
    char *at = text;
    for (size_t i = 0; i < 4u; i++) {
        if (i > 0u) {
            *at++ = '.';
        }
        at += line_format_u32(address[i], at);
    }
}

const net_interface_t *net_interface(void)
{
    return s_up;
}

const net_stack_t *net_stack(void)
{
    return s_up != NULL ? s_up->stack : NULL;
}
