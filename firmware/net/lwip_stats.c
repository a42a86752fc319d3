// SPDX-License-Identifier: MIT
#include "lwip_stats.h"

#include "lwip/memp.h"
#include "lwip/stats.h"

// The names are kept here: lwIP has them only where it prints.
static const struct {
    const char *name;
    memp_t pool;
} s_pools[] = {
    {"tcp", MEMP_TCP_PCB},
    {"udp", MEMP_UDP_PCB},
    {"raw", MEMP_RAW_PCB},
    {"tcp.segment", MEMP_TCP_SEG},
    {"timer", MEMP_SYS_TIMEOUT},
    {"packet", MEMP_PBUF},
    {"packet.whole", MEMP_PBUF_POOL},
};
enum { POOLS = sizeof s_pools / sizeof s_pools[0] };

lwip_stats_t lwip_stats_read(void)
{
    return (lwip_stats_t){
        .segments_in = lwip_stats.mib2.tcpinsegs,
        .segments_out = lwip_stats.mib2.tcpoutsegs,
        .retransmits = lwip_stats.mib2.tcpretranssegs,
        .checksum_errors = (uint32_t)(lwip_stats.ip.chkerr + lwip_stats.tcp.chkerr +
                                      lwip_stats.udp.chkerr + lwip_stats.icmp.chkerr),
    };
}

static lwip_pool_t lwip_stats_as_pool(const char *name, const struct stats_mem *stats)
{
    return (lwip_pool_t){
        .name = name,
        .size = stats->avail,
        .used = stats->used,
        .most = stats->max,
        .refused = stats->err,
    };
}

bool lwip_stats_pool(size_t index, lwip_pool_t *pool)
{
    if (index < POOLS) {
        const struct stats_mem *stats = lwip_stats.memp[s_pools[index].pool];
        if (stats == NULL) { // lwIP was not started yet
            return false;
        }
        *pool = lwip_stats_as_pool(s_pools[index].name, stats);
    } else if (index == POOLS) {
        *pool = lwip_stats_as_pool("heap", &lwip_stats.mem);
    }
    return index <= POOLS;
}
