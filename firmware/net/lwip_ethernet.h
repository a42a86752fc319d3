// SPDX-License-Identifier: MIT
// The interface `ethernet`: lwIP over the board's Ethernet controller, with an address from DHCP.
#ifndef LWIP_ETHERNET_H
#define LWIP_ETHERNET_H

#include "net.h"

extern const net_interface_t g_lwip_ethernet;

// Frames since net.up; drops are frames that had no buffer, were damaged or found no link.
typedef struct {
    uint32_t in, out, drops_in, drops_out, link_changes;
} lwip_ethernet_counters_t;

lwip_ethernet_counters_t lwip_ethernet_counters(void);

#endif
