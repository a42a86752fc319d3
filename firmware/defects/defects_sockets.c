// SPDX-License-Identifier: MIT
// Defects of Ethernet, TCP/IP and sockets, by the rules of defects.c. Never part of a product
// build.
#include <stdbool.h>
#include <stdint.h>

#ifdef RIG_DEFECT_SOCK_CLOSE_LEAK // a closed connection is never given back to TCP
struct tcp_pcb;
int8_t __wrap_tcp_close(struct tcp_pcb *pcb)
{
    (void)pcb;
    return 0;
}
#endif

#ifdef RIG_DEFECT_SOCK_BIT_FLIP // now and then one bit of what is sent is wrong
    #include <string.h>
struct tcp_pcb;
int8_t __real_tcp_write(struct tcp_pcb *pcb, const void *bytes, uint16_t length, uint8_t flags);
int8_t __wrap_tcp_write(struct tcp_pcb *pcb, const void *bytes, uint16_t length, uint8_t flags)
{
    static uint8_t s_piece[1460];
    static uint32_t s_calls;
    if (++s_calls % 100u != 0u || length > sizeof s_piece) {
        return __real_tcp_write(pcb, bytes, length, flags);
    }
    memcpy(s_piece, bytes, length);
    s_piece[length / 2u] ^= 0x10u;
    return __real_tcp_write(pcb, s_piece, length, flags);
}
#endif

#ifdef RIG_DEFECT_SOCK_WINDOW_SHUT // the peer is never told that there is room again
struct tcp_pcb;
void __wrap_tcp_recved(struct tcp_pcb *pcb, uint16_t length)
{
    (void)pcb;
    (void)length;
}
#endif

#ifdef RIG_DEFECT_SOCK_SHUTDOWN_IGNORED // the peer is not told that no more will be sent
struct tcp_pcb;
int8_t __wrap_tcp_shutdown(struct tcp_pcb *pcb, int receiving, int sending)
{
    (void)pcb;
    (void)receiving;
    (void)sending;
    return 0;
}
#endif

#ifdef RIG_DEFECT_SOCK_TIMEOUT_SHORT // a wait is a tenth shorter than asked
uint32_t __real_lwip_deadline(uint32_t timeout_ms);
uint32_t __wrap_lwip_deadline(uint32_t timeout_ms)
{
    return __real_lwip_deadline(timeout_ms - timeout_ms / 10u);
}
#endif

#ifdef RIG_DEFECT_NET_DOWN_LEAVES // the task of the interface lives on when it goes down
void __wrap_lwip_task_stop(void)
{
}
#endif

#ifdef RIG_DEFECT_LINK_UNSEEN // a cable that is out is taken for one that is in
bool __wrap_ethernet_has_link(void)
{
    return true;
}
#endif

#ifdef RIG_DEFECT_WALL_CLOCK_STANDS // the clock stays at what it was set to
bool __real_wall_clock_get(uint32_t *epoch_s, uint32_t *milliseconds);
bool __wrap_wall_clock_get(uint32_t *epoch_s, uint32_t *milliseconds)
{
    static uint32_t s_first;
    bool set = __real_wall_clock_get(epoch_s, milliseconds);
    s_first = set && s_first == 0u ? *epoch_s : s_first;
    *epoch_s = s_first;
    *milliseconds = 0;
    return set;
}
#endif
