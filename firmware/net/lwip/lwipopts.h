// SPDX-License-Identifier: MIT
// Configuration of lwIP 2.2 for one Ethernet interface, without an operating system underneath: one
// task (lwip_task.c) moves frames and timers, others call the raw API while they hold its lock.
// What is not named here has lwIP's own default (src/include/lwip/opt.h).
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#include "socket_limits.h"

// No sequential API: sockets are our own (lwip_socket.c).
#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN         0
#define LWIP_SOCKET          0

// Protocols.
#define LWIP_IPV4           1
#define LWIP_IPV6           0
#define LWIP_ARP            1
#define LWIP_ICMP           1
#define LWIP_RAW            1 // ping
#define LWIP_UDP            1
#define LWIP_DHCP           1
#define LWIP_DNS            1
#define LWIP_TCP            1
#define LWIP_ALTCP          0
#define IP_FRAG             0
#define IP_REASSEMBLY       0
#define LWIP_SINGLE_NETIF   1
#define LWIP_HAVE_LOOPIF    0
#define LWIP_NETIF_LOOPBACK 0

// An address is not probed for 7 s before it is used: a DHCP server hands each out once.
#define LWIP_DHCP_DOES_ACD_CHECK 0
#define LWIP_ACD                 0
#define LWIP_NETIF_HOSTNAME      1

// A lease is kept to the second: by the minute, as lwIP has it, one of less than two is lost before
// it is renewed, and 16 bits of seconds are 18 hours.
#define DHCP_COARSE_TIMER_SECS                           1
#define DHCP_TIMEOUT_SIZE_T                              u32_t
#define DHCP_DEFINE_CUSTOM_TIMEOUTS                      1
#define DHCP_SECONDS(to, offered)                        ((to) = (offered) == 0U ? 1U : (offered))
#define DHCP_SET_TIMEOUT_FROM_OFFERED_T0_LEASE(to, dhcp) DHCP_SECONDS(to, (dhcp)->offered_t0_lease)
#define DHCP_SET_TIMEOUT_FROM_OFFERED_T1_RENEW(to, dhcp) DHCP_SECONDS(to, (dhcp)->offered_t1_renew)
#define DHCP_SET_TIMEOUT_FROM_OFFERED_T2_REBIND(to, dhcp)                                          \
    DHCP_SECONDS(to, (dhcp)->offered_t2_rebind)
#define DHCP_NEXT_TIMEOUT_THRESHOLD          2
#define DHCP_REQUEST_BACKOFF_SEQUENCE(tries) (u16_t)(((tries) < 6 ? 1 << (tries) : 60) * 1000)

#define LWIP_NETIF_LINK_CALLBACK   1
#define LWIP_NETIF_STATUS_CALLBACK 1

// Memory: pools and one heap of lwIP's own, all static; none of the kernel's heap.
#define MEM_ALIGNMENT       8
#define MEM_SIZE            (SOCKET_COUNT * (TCP_SND_BUF + 4096))
#define MEM_LIBC_MALLOC     0
#define MEMP_MEM_MALLOC     0
#define PBUF_POOL_BUFSIZE   1536
#define PBUF_POOL_SIZE      64 // whole frames: the windows of all sockets, nearly
#define MEMP_NUM_PBUF       64
#define MEMP_NUM_TCP_PCB    (SOCKET_COUNT + 4) // some more wait for their end
#define MEMP_NUM_TCP_SEG    (SOCKET_COUNT * TCP_SND_QUEUELEN / 2)
#define MEMP_NUM_UDP_PCB    4
#define MEMP_NUM_RAW_PCB    2
#define DNS_TABLE_SIZE      4
#define DNS_MAX_NAME_LENGTH 128

// Memory of pools and heap is written before it is read; startup need not clear it.
#define LWIP_DECLARE_MEMORY_ALIGNED(name, size)                                                    \
    u8_t name[LWIP_MEM_ALIGN_BUFFER(size)]                                                         \
        __attribute__((section(".uninitialised.lwip"), aligned(8)))

// TCP. A connection that has ended is remembered for two of TCP_MSL: a lab has no segments that
// stray for a minute, and a board that connects again and again has few places.
#define TCP_MSL                            2000
#define TCP_MSS                            1460
#define TCP_WND                            (6 * TCP_MSS) // what the FIFO of a LAN9118 takes in a burst
#define TCP_SND_BUF                        (8 * TCP_MSS)
#define TCP_SND_QUEUELEN                   32
#define TCP_LISTEN_BACKLOG                 0
#define LWIP_TCP_KEEPALIVE                 1
#define LWIP_RANDOMIZE_INITIAL_LOCAL_PORTS 1

// Counters, for net.counters.
#define LWIP_STATS         1
#define LWIP_STATS_DISPLAY 0
#define MIB2_STATS         1

#endif
