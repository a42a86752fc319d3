// SPDX-License-Identifier: MIT
// Defects that only a bad network shows, by the rules of defects.c. Never part of a product build.

#ifdef RIG_DEFECT_LEASE_STANDS // an address is neither renewed nor given up
void __wrap_dhcp_coarse_tmr(void)
{
}
#endif

#ifdef RIG_DEFECT_DHCP_ASKED_ONCE // a question for an address that is lost is not asked again
void __wrap_dhcp_fine_tmr(void)
{
}
#endif

#ifdef RIG_DEFECT_NEVER_SENT_AGAIN // a segment that is lost stays lost
    #include <stdint.h>
struct tcp_pcb;
int8_t __wrap_tcp_rexmit_rto_prepare(struct tcp_pcb *pcb)
{
    (void)pcb;
    return -6; // ERR_VAL of lwip/err.h: nothing to send
}
void __wrap_tcp_rexmit_fast(struct tcp_pcb *pcb)
{
    (void)pcb;
}
#endif
