// SPDX-License-Identifier: MIT
// The transport that MQTT and HTTP clients speak through, with the names and signatures that
// coreMQTT and coreHTTP publish, so that a client written for those fits as it is. A vendor's own
// header of this name takes its place where FREERTOS_LIBRARIES_PATH gives one.
#ifndef TRANSPORT_INTERFACE_H
#define TRANSPORT_INTERFACE_H

#include <stddef.h>
#include <stdint.h>

// Whoever makes a connection says what it is; clients only hand its address on. Ours is in
// connection.h.
struct NetworkContext;
typedef struct NetworkContext NetworkContext_t;

// Reads what has come, at most `bytesToRecv`. Returns the count of bytes, 0 when none came within
// the connection's receive time-out (ask again), below 0 when the connection is gone or an argument
// is wrong.
typedef int32_t (*TransportRecv_t)(NetworkContext_t *pNetworkContext, void *pBuffer,
                                   size_t bytesToRecv);

// Sends at most `bytesToSend`. Returns the count of bytes taken, 0 when none could be taken now
// (ask again), below 0 when the connection is gone or an argument is wrong.
typedef int32_t (*TransportSend_t)(NetworkContext_t *pNetworkContext, const void *pBuffer,
                                   size_t bytesToSend);

typedef struct TransportOutVector {
    const void *iov_base;
    size_t iov_len;
} TransportOutVector_t;

// Sends several pieces in their order, as one call of send would. Returns as it does.
typedef int32_t (*TransportWritev_t)(NetworkContext_t *pNetworkContext,
                                     TransportOutVector_t *pIoVec, size_t ioVecCount);

typedef struct TransportInterface {
    TransportRecv_t recv;
    TransportSend_t send;
    TransportWritev_t writev; // NULL: pieces are sent one by one
    NetworkContext_t *pNetworkContext;
} TransportInterface_t;

#endif
