// SPDX-License-Identifier: MIT
// Sessions of earlier connections, one for each server, so that the next handshake with it is
// short. The longest unused one is forgotten for another's. From tasks.
#ifndef TLS_SESSIONS_H
#define TLS_SESSIONS_H

#include "connection.h"

#include "mbedtls/ssl.h"

// How often all was forgotten so far. To be taken before a connection looks at identities and
// authorities.
uint32_t tls_sessions_generation(void);

// Offers the session kept for this server, if there is one whose certificate is still valid.
bool tls_sessions_offer(const connection_options_t *options, mbedtls_ssl_context *ssl);

// Keeps the session of a connection whose handshake has ended, unless all was forgotten since that
// generation: then it may have been made with what holds no longer.
void tls_sessions_keep(const connection_options_t *options, const mbedtls_ssl_context *ssl,
                       uint32_t generation);

// Forgets all: identities or authorities were changed.
void tls_sessions_forget(void);

#endif
