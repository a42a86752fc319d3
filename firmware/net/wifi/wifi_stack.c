// SPDX-License-Identifier: MIT
// TCP over the Wi-Fi module, as the firmware's connections want it (net_stack.h). A handle is the
// module's number of the connection. What the module has no command for is done here: a connection
// that is shut down on one side only stays whole on the wire.
#include "at_channel.h"
#include "kernel_compat.h"
#include "wifi.h"

enum {
    ANSWER_MS = 5000, // of the module to a command about a connection
    ON_MS = 3000,
};

typedef struct {
    bool open;
    bool no_send, no_receive; // shut down
    bool broken;              // bytes of it may be lost: no more of it is used
} wifi_link_t;

static wifi_link_t s_links[AT_LINKS];

static bool stack_is_open(int32_t handle)
{
    return handle >= 0 && handle < AT_LINKS && s_links[handle].open;
}

static int32_t stack_take_link(void)
{
    int32_t free_link = STATUS_RANGE;
    taskENTER_CRITICAL();
    for (int32_t i = AT_LINKS - 1; i >= 0; i--) {
        free_link = s_links[i].open ? free_link : i;
    }
    if (free_link >= 0) {
        s_links[free_link] = (wifi_link_t){.open = true};
    }
    taskEXIT_CRITICAL();
    return free_link;
}

// ---- connections -------------------------------------------------------------------------------

static status_t stack_order_connect(uint32_t link, const uint8_t address[4], uint16_t port,
                                    uint32_t timeout_ms)
{
    char host[NET_ADDRESS_TEXT_BYTES];
    net_format_address(address, host);
    at_text_t *command = at_begin("AT+CIPSTART=");
    at_text_add_number(command, link);
    at_text_add(command, ",\"TCP\",");
    at_text_add_quoted(command, host);
    at_text_add(command, ",");
    at_text_add_number(command, port);
    status_t status = at_run(timeout_ms);
    at_end();
    return status;
}

// Leaves nothing open in the module, whatever became of the connection.
static void stack_order_close(uint32_t link)
{
    at_text_add_number(at_begin("AT+CIPCLOSE="), link);
    (void)at_run(ANSWER_MS);
    at_end();
}

static int32_t stack_connect(const char *host, uint16_t port, uint32_t timeout_ms)
{
    uint8_t address[4];
    if (!at_state().has_address) {
        return STATUS_ABSENT;
    }
    status_t status = wifi_resolve(host, address, timeout_ms);
    int32_t link = status == STATUS_OK ? stack_take_link() : (int32_t)status;
    if (link < 0) {
        return link;
    }
    at_forget_news((uint32_t)link);
    status = stack_order_connect((uint32_t)link, address, port, timeout_ms);
    if (status == STATUS_OK) {
        return link;
    }
    if (status == STATUS_TIMEOUT) {
        stack_order_close((uint32_t)link);
    }
    s_links[link].open = false;
    return (int32_t)status;
}

static int32_t stack_send(int32_t handle, const void *bytes, size_t length, uint32_t timeout_ms)
{
    if (!stack_is_open(handle)) {
        return STATUS_VALUE;
    }
    wifi_link_t *link = &s_links[handle];
    if (link->no_send || link->broken || at_news((uint32_t)handle).closed) {
        return STATUS_CLOSED;
    }
    size_t count = length < AT_SEND_BYTES ? length : AT_SEND_BYTES;
    if (count == 0u) {
        return 0;
    }
    // Not less than the module may need: once it has the bytes, they cannot be taken back.
    uint32_t limit_ms = timeout_ms > ANSWER_MS ? timeout_ms : ANSWER_MS;
    status_t status = at_send((uint32_t)handle, bytes, count, limit_ms);
    if (status == STATUS_OK) {
        return (int32_t)count;
    }
    link->broken = true; // it is not known what of the bytes has gone
    return STATUS_CLOSED;
}

// What waits in the module for this connection, without waiting for it.
static int32_t stack_take(int32_t handle, void *bytes, size_t length)
{
    uint32_t link = (uint32_t)handle;
    if (!at_news(link).waiting) {
        return 0;
    }
    size_t most = length < AT_SEND_BYTES ? length : AT_SEND_BYTES;
    at_set_waiting(link, false); // what comes from now on says so again
    int32_t got = at_receive(link, bytes, most, ANSWER_MS);
    if (got == (int32_t)most) {
        at_set_waiting(link, true);
    } else if (got < 0 && got != STATUS_REFUSED) {
        s_links[handle].broken = true;
    }
    return got > 0 ? got : 0;
}

static int32_t stack_receive(int32_t handle, void *bytes, size_t length, uint32_t timeout_ms)
{
    TickType_t begin = xTaskGetTickCount();
    uint32_t gone_ms = 0;
    if (!stack_is_open(handle)) {
        return STATUS_VALUE;
    }
    for (;;) {
        bool closed = at_news((uint32_t)handle).closed; // before the last bytes are asked for
        int32_t got = s_links[handle].no_receive ? 0 : stack_take(handle, bytes, length);
        if (got > 0 || length == 0u) {
            return got;
        }
        if (closed || s_links[handle].broken || s_links[handle].no_receive) {
            return STATUS_CLOSED;
        }
        gone_ms = (uint32_t)((uint64_t)(xTaskGetTickCount() - begin) * 1000u / configTICK_RATE_HZ);
        if (gone_ms >= timeout_ms) {
            return 0;
        }
        (void)at_wait_news((uint32_t)handle, timeout_ms - gone_ms);
    }
}

static status_t stack_shutdown(int32_t handle, bool receiving, bool sending)
{
    if (!stack_is_open(handle)) {
        return STATUS_VALUE;
    }
    wifi_link_t *link = &s_links[handle];
    bool was_whole = !(link->no_send && link->no_receive);
    link->no_send |= sending;
    link->no_receive |= receiving;
    if (was_whole && link->no_send && link->no_receive && !at_news((uint32_t)handle).closed) {
        stack_order_close((uint32_t)handle);
    }
    return STATUS_OK;
}

static status_t stack_close(int32_t handle)
{
    if (!stack_is_open(handle)) {
        return STATUS_VALUE;
    }
    if (!at_news((uint32_t)handle).closed) {
        stack_order_close((uint32_t)handle);
    }
    s_links[handle].open = false;
    return STATUS_OK;
}

// ---- the interface -----------------------------------------------------------------------------

static const net_stack_t s_stack = {
    .name = "wifi",
    .resolve = wifi_resolve,
    .connect = stack_connect,
    .send = stack_send,
    .receive = stack_receive,
    .shutdown = stack_shutdown,
    .close = stack_close,
};

// Joined already by hand, or else to a network that is kept.
static status_t interface_up(uint32_t timeout_ms)
{
    bool was_on = wifi_is_on();
    status_t status = wifi_on(ON_MS);
    if (status == STATUS_OK && !at_state().has_address) {
        status = wifi_connect_kept(timeout_ms);
        status = status == STATUS_UNKNOWN ? STATUS_ABSENT : status;
    }
    if (status != STATUS_OK && !was_on) {
        wifi_off();
    }
    return status;
}

static void interface_down(void)
{
    for (int32_t handle = 0; handle < AT_LINKS; handle++) {
        (void)stack_close(handle);
    }
    wifi_off();
}

static void interface_describe(net_address_t *address)
{
    (void)wifi_address(address);
}

// The module chooses the length; it tells whole milliseconds.
static status_t interface_ping(const uint8_t address[4], uint16_t length, uint32_t timeout_ms,
                               uint32_t *microseconds)
{
    (void)length;
    (void)timeout_ms;
    char host[NET_ADDRESS_TEXT_BYTES];
    uint32_t took_ms = 0;
    net_format_address(address, host);
    status_t status = wifi_ping(host, &took_ms);
    *microseconds = took_ms * 1000u;
    return status;
}

static bool interface_has_link(void)
{
    return at_state().has_address;
}

const net_interface_t g_wifi_interface = {
    .stack = &s_stack,
    .up = interface_up,
    .down = interface_down,
    .describe = interface_describe,
    .ping = interface_ping,
    .has_link = interface_has_link,
};
