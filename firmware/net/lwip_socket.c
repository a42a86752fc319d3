// SPDX-License-Identifier: MIT
#include "lwip_socket.h"

#include "kernel_compat.h"
#include "lwip_resolve.h"
#include "lwip_task.h"

#include "lwip/netif.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"

#include <string.h>

// A connection. Everything is read and written under the lock; the semaphores tell a waiting task
// to look again.
typedef struct {
    int32_t handle;      // 0: free
    struct tcp_pcb *pcb; // NULL: the connection is gone
    struct pbuf *received;
    uint16_t fetched; // bytes of the first piece
    bool connected, peer_closed, receive_shut, send_shut;
    err_t fault;
    SemaphoreHandle_t receive_event, send_event;
    StaticSemaphore_t receive_block, send_block;
} socket_t;

static socket_t s_sockets[SOCKET_COUNT];
static int32_t s_generation;

// ---- what lwIP tells ---------------------------------------------------------------------------

static err_t socket_on_connected(void *argument, struct tcp_pcb *pcb, err_t fault)
{
    (void)pcb;
    (void)fault;
    socket_t *socket = argument;
    socket->connected = true;
    (void)xSemaphoreGive(socket->send_event);
    return ERR_OK;
}

// lwIP no longer knows the place.
static void socket_forget(struct tcp_pcb *pcb)
{
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_err(pcb, NULL);
}

// Once both sides have ended it, lwIP frees the connection some time without a word.
static void socket_on_end(socket_t *socket, struct tcp_pcb *pcb)
{
    socket->peer_closed = true;
    if (pcb->state == TIME_WAIT || pcb->state == CLOSING) {
        socket_forget(pcb);
        socket->pcb = NULL;
    }
}

static err_t socket_on_receive(void *argument, struct tcp_pcb *pcb, struct pbuf *data, err_t fault)
{
    (void)fault;
    socket_t *socket = argument;
    if (data == NULL) {
        socket_on_end(socket, pcb);
    } else if (socket->receive_shut) {
        tcp_recved(pcb, data->tot_len);
        (void)pbuf_free(data);
    } else if (socket->received == NULL) {
        socket->received = data;
    } else {
        pbuf_cat(socket->received, data);
    }
    (void)xSemaphoreGive(socket->receive_event);
    return ERR_OK;
}

static err_t socket_on_sent(void *argument, struct tcp_pcb *pcb, u16_t length)
{
    (void)pcb;
    (void)length;
    (void)xSemaphoreGive(((socket_t *)argument)->send_event);
    return ERR_OK;
}

// lwIP has freed the connection.
static void socket_on_error(void *argument, err_t fault)
{
    socket_t *socket = argument;
    socket->pcb = NULL;
    socket->fault = fault;
    (void)xSemaphoreGive(socket->receive_event);
    (void)xSemaphoreGive(socket->send_event);
}

// ---- handles -----------------------------------------------------------------------------------

static socket_t *socket_of(int32_t handle)
{
    socket_t *socket = &s_sockets[(uint32_t)handle % SOCKET_COUNT];
    return handle > 0 && socket->handle == handle ? socket : NULL;
}

static void socket_watch(socket_t *socket)
{
    tcp_arg(socket->pcb, socket);
    tcp_recv(socket->pcb, socket_on_receive);
    tcp_sent(socket->pcb, socket_on_sent);
    tcp_err(socket->pcb, socket_on_error);
    tcp_nagle_disable(socket->pcb);
}

static void socket_make_events(socket_t *socket)
{
    if (socket->receive_event == NULL) {
        socket->receive_event = xSemaphoreCreateBinaryStatic(&socket->receive_block);
        socket->send_event = xSemaphoreCreateBinaryStatic(&socket->send_block);
    }
    (void)xSemaphoreTake(socket->receive_event, 0);
    (void)xSemaphoreTake(socket->send_event, 0);
}

// A free place, as a connection that is not begun; NULL if there is none.
static socket_t *socket_take(void)
{
    for (int32_t i = 0; i < SOCKET_COUNT; i++) {
        socket_t *socket = &s_sockets[i];
        if (socket->handle == 0) {
            struct tcp_pcb *pcb = tcp_new();
            if (pcb == NULL) {
                return NULL;
            }
            socket_make_events(socket);
            s_generation = s_generation < INT32_MAX / SOCKET_COUNT - 1 ? s_generation + 1 : 1;
            socket->handle = s_generation * SOCKET_COUNT + i;
            socket->pcb = pcb;
            socket->received = NULL;
            socket->fetched = 0;
            socket->connected = socket->peer_closed = false;
            socket->receive_shut = socket->send_shut = false;
            socket->fault = ERR_OK;
            socket_watch(socket);
            return socket;
        }
    }
    return NULL;
}

static void socket_let_go(socket_t *socket, bool gracefully)
{
    struct tcp_pcb *pcb = socket->pcb;
    if (pcb != NULL) {
        socket_forget(pcb);
        if (!gracefully || tcp_close(pcb) != ERR_OK) {
            tcp_abort(pcb);
        }
    }
    if (socket->received != NULL) {
        (void)pbuf_free(socket->received);
        socket->received = NULL;
    }
    socket->pcb = NULL;
    socket->handle = 0;
    (void)xSemaphoreGive(socket->receive_event); // who waits sees that the handle is gone
    (void)xSemaphoreGive(socket->send_event);
}

void lwip_socket_abort_all(void)
{
    for (size_t i = 0; i < SOCKET_COUNT; i++) {
        if (s_sockets[i].handle != 0) {
            socket_let_go(&s_sockets[i], false);
        }
    }
}

// ---- connecting --------------------------------------------------------------------------------

static status_t socket_status(err_t fault)
{
    switch (fault) {
    case ERR_RST:
        return STATUS_REFUSED;
    case ERR_ABRT:
        return STATUS_TIMEOUT; // lwIP gave up asking
    case ERR_RTE:
        return STATUS_ABSENT;
    default:
        return STATUS_CLOSED;
    }
}

// A handle whose connection was begun, or a status.
static int32_t socket_begin(const uint8_t address[4], uint16_t port)
{
    ip_addr_t to;
    memcpy(&ip_2_ip4(&to)->addr, address, 4);
    if (netif_default == NULL || !netif_is_link_up(netif_default)) {
        return STATUS_ABSENT;
    }
    socket_t *socket = socket_take();
    if (socket == NULL) {
        return STATUS_RANGE;
    }
    err_t begun = tcp_connect(socket->pcb, &to, port, socket_on_connected);
    if (begun != ERR_OK) {
        socket_let_go(socket, false);
        return begun == ERR_RTE ? STATUS_ABSENT : STATUS_RANGE;
    }
    return socket->handle;
}

static int32_t socket_wait_connected(int32_t handle, uint32_t deadline)
{
    socket_t *socket = &s_sockets[(uint32_t)handle % SOCKET_COUNT];
    (void)xSemaphoreTake(socket->send_event, lwip_ticks_left(deadline));
    lwip_lock();
    int32_t result = handle;
    if (socket_of(handle) == NULL) {
        result = STATUS_CLOSED; // the network went down
    } else if (!socket->connected) {
        result = socket->pcb == NULL ? socket_status(socket->fault) : STATUS_TIMEOUT;
        socket_let_go(socket, false);
    }
    lwip_unlock();
    return result;
}

static int32_t socket_connect(const char *host, uint16_t port, uint32_t timeout_ms)
{
    uint8_t address[4];
    uint32_t deadline = lwip_deadline(timeout_ms);
    status_t status = lwip_resolve(host, address, timeout_ms);
    if (status != STATUS_OK) {
        return status;
    }
    lwip_lock();
    int32_t handle = socket_begin(address, port);
    lwip_unlock();
    return handle < 0 ? handle : socket_wait_connected(handle, deadline);
}

// ---- sending and receiving ---------------------------------------------------------------------

// Waits for something to happen, if nothing was done so far and there is time; false: it is over.
// The end of a connection is passed on to others who wait for it.
static bool socket_wait(SemaphoreHandle_t event, int32_t done, size_t length, uint32_t deadline)
{
    uint32_t left = lwip_ticks_left(deadline);
    if (done < 0 && event != NULL) {
        (void)xSemaphoreGive(event);
    }
    if (done != 0 || left == 0u || length == 0u) {
        return false;
    }
    (void)xSemaphoreTake(event, left);
    return true;
}

// Above 0: taken. 0: no room now.
static int32_t socket_try_send(int32_t handle, const void *bytes, size_t length)
{
    socket_t *socket = socket_of(handle);
    if (socket == NULL || socket->pcb == NULL || socket->send_shut) {
        return STATUS_CLOSED;
    }
    size_t room = tcp_sndbuf(socket->pcb);
    size_t taken = length < room ? length : room;
    if (taken == 0u || tcp_write(socket->pcb, bytes, (u16_t)taken, TCP_WRITE_FLAG_COPY) != ERR_OK) {
        return 0;
    }
    (void)tcp_output(socket->pcb);
    return (int32_t)taken;
}

static int32_t socket_send(int32_t handle, const void *bytes, size_t length, uint32_t timeout_ms)
{
    uint32_t deadline = lwip_deadline(timeout_ms);
    const socket_t *place = &s_sockets[(uint32_t)handle % SOCKET_COUNT];
    for (;;) {
        lwip_lock();
        int32_t sent = length == 0u ? 0 : socket_try_send(handle, bytes, length);
        lwip_unlock();
        if (!socket_wait(place->send_event, sent, length, deadline)) {
            return sent;
        }
    }
}

static size_t socket_fetch(socket_t *socket, uint8_t *to, size_t length)
{
    size_t fetched = 0;
    while (socket->received != NULL && fetched < length) {
        struct pbuf *first = socket->received;
        size_t here = (size_t)first->len - socket->fetched;
        size_t count = here < length - fetched ? here : length - fetched;
        memcpy(to + fetched, (const uint8_t *)first->payload + socket->fetched, count);
        fetched += count;
        socket->fetched = (uint16_t)(socket->fetched + count);
        if (socket->fetched == first->len) {
            socket->received = first->next;
            socket->fetched = 0;
            first->next = NULL; // only the first piece is freed
            (void)pbuf_free(first);
        }
    }
    return fetched;
}

// Above 0: fetched. 0: nothing yet. What came before the end is fetched first.
static int32_t socket_try_receive(int32_t handle, void *bytes, size_t length)
{
    socket_t *socket = socket_of(handle);
    if (socket == NULL || socket->receive_shut) {
        return STATUS_CLOSED;
    }
    size_t fetched = socket_fetch(socket, bytes, length);
    if (fetched > 0u && socket->pcb != NULL) {
        tcp_recved(socket->pcb, (u16_t)fetched);
    }
    bool ended = socket->pcb == NULL || socket->peer_closed;
    return fetched == 0u && ended ? STATUS_CLOSED : (int32_t)fetched;
}

static int32_t socket_receive(int32_t handle, void *bytes, size_t length, uint32_t timeout_ms)
{
    enum { MOST = 0xFFFF };
    uint32_t deadline = lwip_deadline(timeout_ms);
    const socket_t *place = &s_sockets[(uint32_t)handle % SOCKET_COUNT];
    for (;;) {
        lwip_lock();
        int32_t got =
            length == 0u ? 0 : socket_try_receive(handle, bytes, length < MOST ? length : MOST);
        lwip_unlock();
        if (!socket_wait(place->receive_event, got, length, deadline)) {
            return got;
        }
    }
}

// ---- ending ------------------------------------------------------------------------------------

static status_t socket_end(socket_t *socket, bool receiving, bool sending)
{
    socket->receive_shut = socket->receive_shut || receiving;
    socket->send_shut = socket->send_shut || sending;
    if (socket->pcb == NULL) {
        return STATUS_CLOSED;
    }
    if (receiving) {
        uint16_t waiting =
            socket->received != NULL ? (uint16_t)(socket->received->tot_len - socket->fetched) : 0u;
        if (socket->received != NULL) {
            (void)pbuf_free(socket->received);
            socket->received = NULL;
            socket->fetched = 0;
        }
        tcp_recved(socket->pcb, waiting);
    }
    // lwIP's own shutdown of the receiving side would free the connection with both sides shut;
    // here that is the matter of close.
    err_t ended = sending ? tcp_shutdown(socket->pcb, 0, 1) : ERR_OK;
    (void)xSemaphoreGive(socket->receive_event);
    (void)xSemaphoreGive(socket->send_event);
    return ended == ERR_OK ? STATUS_OK : STATUS_CLOSED;
}

static status_t socket_shutdown(int32_t handle, bool receiving, bool sending)
{
    lwip_lock();
    socket_t *socket = socket_of(handle);
    status_t status = socket == NULL || (!receiving && !sending)
                          ? STATUS_VALUE
                          : socket_end(socket, receiving, sending);
    lwip_unlock();
    return status;
}

static status_t socket_close(int32_t handle)
{
    lwip_lock();
    socket_t *socket = socket_of(handle);
    if (socket != NULL) {
        socket_let_go(socket, true);
    }
    lwip_unlock();
    return socket != NULL ? STATUS_OK : STATUS_VALUE;
}

// ---- options and facts -------------------------------------------------------------------------

status_t lwip_socket_set_nagle(int32_t handle, bool on)
{
    lwip_lock();
    socket_t *socket = socket_of(handle);
    if (socket != NULL && socket->pcb != NULL) {
        if (on) {
            tcp_nagle_enable(socket->pcb);
        } else {
            tcp_nagle_disable(socket->pcb);
        }
    }
    lwip_unlock();
    return socket != NULL ? STATUS_OK : STATUS_VALUE;
}

status_t lwip_socket_set_keepalive(int32_t handle, uint32_t idle_ms)
{
    lwip_lock();
    socket_t *socket = socket_of(handle);
    if (socket != NULL && socket->pcb != NULL) {
        socket->pcb->keep_idle = idle_ms;
        if (idle_ms > 0u) {
            ip_set_option(socket->pcb, SOF_KEEPALIVE);
        } else {
            ip_reset_option(socket->pcb, SOF_KEEPALIVE);
        }
    }
    lwip_unlock();
    return socket != NULL ? STATUS_OK : STATUS_VALUE;
}

static void socket_describe(const socket_t *socket, lwip_socket_facts_t *facts)
{
    *facts = (lwip_socket_facts_t){.handle = socket->handle, .state = "closed"};
    if (socket->received != NULL) {
        facts->waiting = (uint32_t)socket->received->tot_len - socket->fetched;
    }
    if (socket->pcb != NULL) {
        facts->state = tcp_debug_state_str(socket->pcb->state);
        memcpy(facts->peer, &ip_2_ip4(&socket->pcb->remote_ip)->addr, 4);
        facts->peer_port = socket->pcb->remote_port;
        facts->own_port = socket->pcb->local_port;
    }
}

bool lwip_socket_facts(size_t index, lwip_socket_facts_t *facts)
{
    lwip_lock();
    bool known = index < SOCKET_COUNT && s_sockets[index].handle != 0;
    if (known) {
        socket_describe(&s_sockets[index], facts);
    }
    lwip_unlock();
    return known;
}

const net_stack_t g_lwip_stack = {
    .name = "ethernet",
    .resolve = lwip_resolve,
    .connect = socket_connect,
    .send = socket_send,
    .receive = socket_receive,
    .shutdown = socket_shutdown,
    .close = socket_close,
};
