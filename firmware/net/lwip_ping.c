// SPDX-License-Identifier: MIT
#include "lwip_resolve.h"

#include "kernel_compat.h"
#include "lwip_task.h"
#include "platform.h"

#include "lwip/icmp.h"
#include "lwip/inet_chksum.h"
#include "lwip/prot/ip4.h"
#include "lwip/raw.h"

#include <string.h>

enum { IDENTIFIER = 0x5247 };

static StaticSemaphore_t s_answered_block;
static SemaphoreHandle_t s_answered;
static uint16_t s_sequence;
static uint32_t s_sent_at, s_took; // ticks of the counter

static uint32_t ping_counter(void)
{
    return *(const volatile uint32_t *)PLATFORM_COUNTER_AT;
}

// By lwIP, under the lock: what is not the answer goes on to others.
static u8_t ping_on_receive(void *argument, struct raw_pcb *pcb, struct pbuf *packet,
                            const ip_addr_t *from)
{
    (void)argument;
    (void)pcb;
    (void)from;
    struct icmp_echo_hdr header;
    uint16_t at = IPH_HL_BYTES((const struct ip_hdr *)packet->payload);
    if (pbuf_copy_partial(packet, &header, sizeof header, at) != sizeof header ||
        header.type != ICMP_ER || header.id != lwip_htons(IDENTIFIER) ||
        header.seqno != lwip_htons(s_sequence)) {
        return 0;
    }
    s_took = ping_counter() - s_sent_at;
    (void)xSemaphoreGive(s_answered);
    (void)pbuf_free(packet);
    return 1;
}

static struct pbuf *ping_request(uint16_t length)
{
    struct pbuf *packet =
        pbuf_alloc(PBUF_IP, (u16_t)(sizeof(struct icmp_echo_hdr) + length), PBUF_RAM);
    if (packet == NULL) {
        return NULL;
    }
    struct icmp_echo_hdr *header = packet->payload;
    memset(packet->payload, 'r', packet->len);
    header->type = ICMP_ECHO;
    header->code = 0;
    header->chksum = 0;
    header->id = lwip_htons(IDENTIFIER);
    header->seqno = lwip_htons(++s_sequence);
    header->chksum = inet_chksum(packet->payload, packet->len);
    return packet;
}

static status_t ping_send(struct raw_pcb *pcb, const uint8_t address[4], uint16_t length)
{
    ip_addr_t to;
    memcpy(&ip_2_ip4(&to)->addr, address, 4);
    struct pbuf *packet = ping_request(length);
    if (packet == NULL) {
        return STATUS_SPACE;
    }
    s_sent_at = ping_counter();
    err_t sent = raw_sendto(pcb, packet, &to);
    (void)pbuf_free(packet);
    return sent == ERR_OK ? STATUS_OK : STATUS_ABSENT;
}

status_t lwip_ping(const uint8_t address[4], uint16_t length, uint32_t timeout_ms,
                   uint32_t *microseconds)
{
    if (s_answered == NULL) {
        s_answered = xSemaphoreCreateBinaryStatic(&s_answered_block);
    }
    lwip_lock();
    struct raw_pcb *pcb = raw_new(IP_PROTO_ICMP);
    (void)xSemaphoreTake(s_answered, 0);
    status_t status = STATUS_SPACE;
    if (pcb != NULL) {
        raw_recv(pcb, ping_on_receive, NULL);
        (void)raw_bind(pcb, IP_ADDR_ANY);
        status = ping_send(pcb, address, length);
    }
    lwip_unlock();
    if (status == STATUS_OK &&
        xSemaphoreTake(s_answered, lwip_ticks_left(lwip_deadline(timeout_ms))) != pdTRUE) {
        status = STATUS_TIMEOUT;
    }
    *microseconds = s_took / (PLATFORM_COUNTER_HZ / 1000000u);
    lwip_lock();
    if (pcb != NULL) {
        raw_remove(pcb);
    }
    lwip_unlock();
    return status;
}
