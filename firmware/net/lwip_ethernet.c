// SPDX-License-Identifier: MIT
#include "lwip_ethernet.h"

#include "ethernet_port.h"
#include "kernel_compat.h"
#include "lwip_resolve.h"
#include "lwip_socket.h"
#include "lwip_task.h"
#include "platform.h"
#include "sha256.h"

#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/netif.h"
#include "netif/ethernet.h"

#include <string.h>

enum {
    MAC_BYTES = 6,
    MTU = 1500,
    HOST_NAME_BYTES = 24,
    SMALL_BYTES = 512,
    FRAMES_A_TURN = 8, // then others come to theirs
};

static struct netif s_netif;
static char s_host_name[HOST_NAME_BYTES];
static lwip_ethernet_counters_t s_counters;
static StaticSemaphore_t s_addressed_block;
static SemaphoreHandle_t s_addressed; // given when the address changes

// ---- frames ------------------------------------------------------------------------------------

// One frame that is in several pieces is put together here.
static uint8_t s_frame[ETHERNET_ROOM_BYTES];

static err_t lwip_ethernet_output(struct netif *netif, struct pbuf *frame)
{
    const void *bytes = frame->payload;
    if (frame->len != frame->tot_len) {
        (void)pbuf_copy_partial(frame, s_frame, sizeof s_frame, 0);
        bytes = s_frame;
    }
    // A frame that finds no link is lost, as it would be further on: TCP sends it again.
    if (!netif_is_link_up(netif) || ethernet_send(bytes, frame->tot_len) != STATUS_OK) {
        s_counters.drops_out++;
        return ERR_OK;
    }
    s_counters.out++;
    return ERR_OK;
}

// A frame of that length, in a place of its own size if it is a small one: a peer that sends byte
// by byte must not hold every whole buffer.
static struct pbuf *lwip_ethernet_shrunk(struct pbuf *frame, int32_t length)
{
    struct pbuf *small =
        length <= SMALL_BYTES ? pbuf_alloc(PBUF_RAW, (u16_t)length, PBUF_RAM) : NULL;
    if (small == NULL) {
        pbuf_realloc(frame, (u16_t)length);
        return frame;
    }
    (void)pbuf_take(small, frame->payload, (u16_t)length);
    (void)pbuf_free(frame);
    return small;
}

static void lwip_ethernet_take(struct pbuf *frame)
{
    s_counters.in++;
    if (s_netif.input(frame, &s_netif) != ERR_OK) {
        (void)pbuf_free(frame);
    }
}

// Fetches one frame; false if there was none.
static bool lwip_ethernet_input(void)
{
    struct pbuf *frame = pbuf_alloc(PBUF_RAW, PBUF_POOL_BUFSIZE, PBUF_POOL);
    if (frame == NULL) {
        ethernet_discard();
        s_counters.drops_in++;
        return true;
    }
    int32_t length = ethernet_receive(frame->payload);
    if (length > 0) {
        lwip_ethernet_take(lwip_ethernet_shrunk(frame, length));
        return true;
    }
    (void)pbuf_free(frame);
    s_counters.drops_in += length < 0;
    return length < 0;
}

static void lwip_ethernet_see_link(void)
{
    bool link = ethernet_has_link();
    if (link == (netif_is_link_up(&s_netif) != 0)) {
        return;
    }
    s_counters.link_changes++;
    if (link) {
        netif_set_link_up(&s_netif); // DHCP asks anew
    } else {
        netif_set_link_down(&s_netif);
    }
}

static bool lwip_ethernet_poll(void)
{
    int frames = 0;
    lwip_ethernet_see_link();
    do {
        while (lwip_ethernet_input()) {
            if (++frames == FRAMES_A_TURN) {
                return true; // and there is no event to wait for yet
            }
        }
    } while (ethernet_wait_event());
    return false;
}

// ---- interface ---------------------------------------------------------------------------------

// A locally administered address that is this board's: from its serial number.
static void lwip_ethernet_mac(uint8_t mac[MAC_BYTES])
{
    uint8_t digest[SHA256_BYTES];
    sha256_digest(platform_serial(), strlen(platform_serial()), digest);
    memcpy(mac, digest, MAC_BYTES);
    mac[0] = (uint8_t)((mac[0] & 0xFCu) | 0x02u);
}

static err_t lwip_ethernet_init(struct netif *netif)
{
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->mtu = MTU;
    netif->hwaddr_len = MAC_BYTES;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    netif->output = etharp_output;
    netif->linkoutput = lwip_ethernet_output;
    netif->hostname = s_host_name;
    lwip_ethernet_mac(netif->hwaddr);
    return ERR_OK;
}

static void lwip_ethernet_on_status(struct netif *netif)
{
    if (!ip4_addr_isany_val(*netif_ip4_addr(netif))) {
        (void)xSemaphoreGive(s_addressed);
    }
}

static void lwip_ethernet_prepare(void)
{
    if (s_addressed == NULL) {
        s_addressed = xSemaphoreCreateBinaryStatic(&s_addressed_block);
    }
    (void)xSemaphoreTake(s_addressed, 0);
    s_counters = (lwip_ethernet_counters_t){0};
    strcpy(s_host_name, "rig-");
    strncat(s_host_name, platform_serial(), sizeof s_host_name - 5u);
}

// The task runs already; the interface is added under its lock.
static status_t lwip_ethernet_open(void)
{
    lwip_lock();
    (void)netif_add_noaddr(&s_netif, NULL, lwip_ethernet_init, ethernet_input);
    status_t status = ethernet_open(s_netif.hwaddr, lwip_task_notify_from_isr);
    if (status == STATUS_OK) {
        netif_set_default(&s_netif);
        netif_set_status_callback(&s_netif, lwip_ethernet_on_status);
        lwip_ethernet_see_link();
        netif_set_up(&s_netif);
        (void)dhcp_start(&s_netif);
        lwip_task_set_poll(lwip_ethernet_poll);
    } else {
        netif_remove(&s_netif);
    }
    lwip_unlock();
    return status;
}

// Connections are reset and the address is given back while the controller still sends.
static void lwip_ethernet_down(void)
{
    lwip_lock();
    lwip_task_set_poll(NULL);
    lwip_socket_abort_all();
    lwip_resolve_abort_all();
    dhcp_release_and_stop(&s_netif);
    ethernet_close();
    dhcp_cleanup(&s_netif);
    etharp_cleanup_netif(&s_netif);
    netif_set_down(&s_netif);
    netif_remove(&s_netif);
    lwip_unlock();
    lwip_task_stop();
}

static bool lwip_ethernet_has_link(void)
{
    return netif_is_link_up(&s_netif) != 0;
}

static status_t lwip_ethernet_up(uint32_t timeout_ms)
{
    uint32_t deadline = lwip_deadline(timeout_ms);
    lwip_ethernet_prepare();
    lwip_task_start();
    status_t status = lwip_ethernet_open();
    if (status != STATUS_OK) {
        lwip_task_stop();
        return status;
    }
    if (xSemaphoreTake(s_addressed, lwip_ticks_left(deadline)) != pdTRUE) {
        status = lwip_ethernet_has_link() ? STATUS_TIMEOUT : STATUS_ABSENT;
        lwip_ethernet_down();
    }
    return status;
}

static void lwip_ethernet_copy(uint8_t to[4], const ip4_addr_t *from)
{
    memcpy(to, &from->addr, 4);
}

static void lwip_ethernet_describe(net_address_t *address)
{
    lwip_lock();
    const struct dhcp *dhcp = netif_dhcp_data(&s_netif);
    lwip_ethernet_copy(address->address, netif_ip4_addr(&s_netif));
    lwip_ethernet_copy(address->mask, netif_ip4_netmask(&s_netif));
    lwip_ethernet_copy(address->gateway, netif_ip4_gw(&s_netif));
    lwip_ethernet_copy(address->dns, ip_2_ip4(dns_getserver(0)));
    memcpy(address->mac, s_netif.hwaddr, sizeof address->mac);
    uint32_t lease_s = dhcp != NULL ? dhcp->offered_t0_lease : 0u;
    address->lease_ms = lease_s > UINT32_MAX / 1000u ? UINT32_MAX : lease_s * 1000u;
    lwip_unlock();
}

lwip_ethernet_counters_t lwip_ethernet_counters(void)
{
    return s_counters;
}

const net_interface_t g_lwip_ethernet = {
    .stack = &g_lwip_stack,
    .up = lwip_ethernet_up,
    .down = lwip_ethernet_down,
    .describe = lwip_ethernet_describe,
    .ping = lwip_ping,
    .has_link = lwip_ethernet_has_link,
};
