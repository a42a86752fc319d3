// SPDX-License-Identifier: MIT
// Commands about the network: net.* and time.*. What takes long runs in the worker; the console
// waits.
#include "commands_table.h"
#include "console.h"
#include "lwip_ethernet.h"
#include "lwip_stats.h"
#include "net.h"
#include "net_work.h"
#include "wall_clock.h"

#include "kernel_compat.h"
#include "platform.h"

enum { DEFAULT_MS = 10000, PING_BYTES = 56, STEP_TEXT_BYTES = 18 };

// What a job gets and gives.
typedef struct {
    const char *text;
    uint32_t timeout_ms;
    uint16_t length;
    uint8_t address[4];
    uint32_t microseconds;
} net_job_t;

static uint32_t net_ms(const argument_value_t *value)
{
    return value->present ? (uint32_t)value->number : DEFAULT_MS;
}

static uint32_t net_counter(void)
{
    return *(const volatile uint32_t *)PLATFORM_COUNTER_AT / (PLATFORM_COUNTER_HZ / 1000000u);
}

static void net_add_address(line_t *line, const char *key, const uint8_t address[4])
{
    char text[NET_ADDRESS_TEXT_BYTES];
    net_format_address(address, text);
    line_add_text(line, key, text);
}

static void net_add_mac(line_t *line, const uint8_t mac[6])
{
    char text[STEP_TEXT_BYTES];
    for (size_t i = 0; i < 6u; i++) {
        line_format_hex(mac[i], 2, text + 3u * i);
        text[3u * i + 2u] = i < 5u ? ':' : '\0';
    }
    line_add_text(line, "mac", text);
}

static void net_add_network(line_t *line, const net_interface_t *interface,
                            const net_address_t *address)
{
    line_add_text(line, "interface", interface->stack->name);
    net_add_address(line, "address", address->address);
    net_add_address(line, "mask", address->mask);
    net_add_address(line, "gateway", address->gateway);
    net_add_address(line, "dns", address->dns);
    net_add_mac(line, address->mac);
    line_add_u32(line, "lease_ms", address->lease_ms);
}

// ---- up and down -------------------------------------------------------------------------------

static int net_job_up(void *argument)
{
    net_job_t *job = argument;
    TickType_t began = xTaskGetTickCount();
    status_t status = net_up(job->text, job->timeout_ms);
    job->microseconds = (xTaskGetTickCount() - began) * (1000000u / configTICK_RATE_HZ);
    return status;
}

static int net_job_down(void *unused)
{
    (void)unused;
    net_down();
    return STATUS_OK;
}

static int net_job_describe(void *argument)
{
    net_interface()->describe(argument);
    return net_interface()->has_link();
}

void command_net_up(const command_call_t *call, reply_t *reply)
{
    net_job_t job = {.text = call->values[ARG_NET_UP_INTERFACE].text,
                     .timeout_ms = net_ms(&call->values[ARG_NET_UP_MS])};
    int status = net_work_run(net_job_up, &job);
    if (status != STATUS_OK) {
        reply_error(reply, status_word((status_t)status), job.text);
        return;
    }
    net_address_t address = {.lease_ms = 0};
    (void)net_work_run(net_job_describe, &address);
    line_t *line = reply_ok(reply);
    net_add_network(line, net_interface(), &address);
    line_add_u32(line, "took_ms", job.microseconds / 1000u);
    reply_send(reply);
}

void command_net_down(const command_call_t *call, reply_t *reply)
{
    (void)call;
    (void)net_work_run(net_job_down, NULL);
    net_work_end();
    reply_finish(reply);
}

void command_net_status(const command_call_t *call, reply_t *reply)
{
    (void)call;
    const net_interface_t *interface = net_interface();
    net_address_t address = {.lease_ms = 0};
    int link = interface != NULL ? net_work_run(net_job_describe, &address) : 0;
    line_t *line = reply_ok(reply);
    line_add_text(line, "state", interface != NULL ? "up" : "down");
    if (interface != NULL) {
        line_add_u32(line, "link", (uint32_t)link);
        net_add_network(line, interface, &address);
    }
    reply_send(reply);
}

// ---- names and echoes --------------------------------------------------------------------------

static int net_job_resolve(void *argument)
{
    net_job_t *job = argument;
    const net_stack_t *stack = net_stack();
    uint32_t began = net_counter();
    status_t status =
        stack != NULL ? stack->resolve(job->text, job->address, job->timeout_ms) : STATUS_ABSENT;
    job->microseconds = net_counter() - began;
    return status;
}

static int net_job_ping(void *argument)
{
    net_job_t *job = argument;
    status_t status = (status_t)net_job_resolve(argument);
    if (status != STATUS_OK) {
        return status;
    }
    const net_interface_t *interface = net_interface();
    return interface->ping == NULL
               ? STATUS_ABSENT
               : interface->ping(job->address, job->length, job->timeout_ms, &job->microseconds);
}

static void net_reply_job(reply_t *reply, int status, const net_job_t *job)
{
    if (status != STATUS_OK) {
        reply_error(reply, status_word((status_t)status), job->text);
        return;
    }
    line_t *line = reply_ok(reply);
    net_add_address(line, "address", job->address);
    line_add_u32(line, "took_us", job->microseconds);
    reply_send(reply);
}

void command_net_resolve(const command_call_t *call, reply_t *reply)
{
    net_job_t job = {.text = call->values[ARG_NET_RESOLVE_HOST].text,
                     .timeout_ms = net_ms(&call->values[ARG_NET_RESOLVE_MS])};
    net_reply_job(reply, net_work_run(net_job_resolve, &job), &job);
}

void command_net_ping(const command_call_t *call, reply_t *reply)
{
    const argument_value_t *bytes = &call->values[ARG_NET_PING_BYTES];
    net_job_t job = {.text = call->values[ARG_NET_PING_HOST].text,
                     .timeout_ms = net_ms(&call->values[ARG_NET_PING_MS]),
                     .length = bytes->present ? (uint16_t)bytes->number : PING_BYTES};
    net_reply_job(reply, net_work_run(net_job_ping, &job), &job);
}

// ---- counters ----------------------------------------------------------------------------------

void command_net_counters(const command_call_t *call, reply_t *reply)
{
    (void)call;
    lwip_ethernet_counters_t frames = lwip_ethernet_counters();
    lwip_stats_t stats = lwip_stats_read();
    line_t *line = reply_ok(reply);
    line_add_u32(line, "frames_in", frames.in);
    line_add_u32(line, "frames_out", frames.out);
    line_add_u32(line, "drops_in", frames.drops_in);
    line_add_u32(line, "drops_out", frames.drops_out);
    line_add_u32(line, "link_changes", frames.link_changes);
    line_add_u32(line, "segments_in", stats.segments_in);
    line_add_u32(line, "segments_out", stats.segments_out);
    line_add_u32(line, "retransmits", stats.retransmits);
    line_add_u32(line, "checksum_errors", stats.checksum_errors);
    reply_send(reply);
}

void command_net_memory(const command_call_t *call, reply_t *reply)
{
    (void)call;
    uint32_t rows = 0;
    for (lwip_pool_t pool; lwip_stats_pool(rows, &pool); rows++) {
        line_t *line = reply_data(reply);
        line_add_text(line, "name", pool.name);
        line_add_u32(line, "size", pool.size);
        line_add_u32(line, "used", pool.used);
        line_add_u32(line, "most", pool.most);
        line_add_u32(line, "refused", pool.refused);
        reply_send(reply);
    }
    line_add_u32(reply_ok(reply), "rows", rows);
    reply_send(reply);
}

// ---- time --------------------------------------------------------------------------------------

void command_time_set(const command_call_t *call, reply_t *reply)
{
    int32_t epoch_s = call->values[ARG_TIME_SET_EPOCH_S].number;
    wall_clock_set((uint32_t)epoch_s);
    reply_finish(reply);
}

void command_time_get(const command_call_t *call, reply_t *reply)
{
    (void)call;
    uint32_t epoch_s, milliseconds;
    bool set = wall_clock_get(&epoch_s, &milliseconds);
    line_t *line = reply_ok(reply);
    line_add_u32(line, "set", set);
    if (set) {
        line_add_u32(line, "epoch_s", epoch_s);
        line_add_u32(line, "ms", milliseconds);
    }
    reply_send(reply);
}
