// SPDX-License-Identifier: MIT
// What is to be known of a TLS connection beside its bytes. From the task that uses it.
#ifndef CONNECTION_TLS_H
#define CONNECTION_TLS_H

#include "connection.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *suite;     // such as "TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256"
    const char *version;   // "TLSv1.2"
    const char *protocol;  // by ALPN; "" if none was agreed
    bool resumed;          // an earlier session was taken up again
    uint32_t handshake_us; // by the counter of the board
    size_t record_bytes;   // the most that one record we send carries
    size_t largest_bytes;  // the most that one record has brought so far
} connection_tls_facts_t;

// False for a connection without TLS.
bool connection_tls_facts(const NetworkContext_t *context, connection_tls_facts_t *facts);

// The suites that are offered, best first, and how many; their names by
// mbedtls_ssl_get_ciphersuite_name(). The one table of them.
const int *connection_tls_suites(size_t *count);

#endif
