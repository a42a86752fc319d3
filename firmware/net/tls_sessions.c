// SPDX-License-Identifier: MIT
#include "tls_sessions.h"

#include "net_mutex.h"

#include <string.h>

enum { SESSIONS = 4, NAME_BYTES = 80 };

typedef struct {
    bool used;
    bool anonymous;
    uint16_t port;
    uint32_t last_use; // counts uses of the table
    char name[NAME_BYTES];
    char identity[32];
    mbedtls_ssl_session session;
} tls_kept_t;

static tls_kept_t s_kept[SESSIONS];
static uint32_t s_uses;
static uint32_t s_generation;
static net_mutex_t s_mutex;

static const char *tls_sessions_name(const connection_options_t *options)
{
    return options->server_name != NULL ? options->server_name : options->host;
}

static const char *tls_sessions_identity(const connection_options_t *options)
{
    return options->identity != NULL ? options->identity : "";
}

// The kept session of a server, under the name and by the identity it was made with; or NULL.
static tls_kept_t *tls_sessions_find(const connection_options_t *options)
{
    for (size_t i = 0; i < SESSIONS; i++) {
        tls_kept_t *kept = &s_kept[i];
        if (kept->used && kept->port == options->port && kept->anonymous == options->anonymous &&
            strcmp(kept->name, tls_sessions_name(options)) == 0 &&
            strcmp(kept->identity, tls_sessions_identity(options)) == 0) {
            return kept;
        }
    }
    return NULL;
}

static void tls_sessions_drop(tls_kept_t *kept)
{
    if (kept->used) {
        mbedtls_ssl_session_free(&kept->session);
        kept->used = false;
    }
}

static tls_kept_t *tls_sessions_oldest(void)
{
    tls_kept_t *oldest = &s_kept[0];
    for (size_t i = 1; i < SESSIONS; i++) {
        if (oldest->used && (!s_kept[i].used || s_kept[i].last_use < oldest->last_use)) {
            oldest = &s_kept[i];
        }
    }
    return oldest;
}

bool tls_sessions_offer(const connection_options_t *options, mbedtls_ssl_context *ssl)
{
    bool offered = false;
    net_mutex_take(&s_mutex);
    tls_kept_t *kept = tls_sessions_find(options);
    const mbedtls_x509_crt *peer = kept != NULL ? kept->session.peer_cert : NULL;
    if (peer != NULL && mbedtls_x509_time_is_past(&peer->valid_to) == 0 &&
        mbedtls_x509_time_is_future(&peer->valid_from) == 0) {
        offered = mbedtls_ssl_set_session(ssl, &kept->session) == 0;
        kept->last_use = ++s_uses;
    }
    net_mutex_give(&s_mutex);
    return offered;
}

uint32_t tls_sessions_generation(void)
{
    net_mutex_take(&s_mutex);
    uint32_t generation = s_generation;
    net_mutex_give(&s_mutex);
    return generation;
}

// Under the mutex.
static void tls_sessions_put(const connection_options_t *options, const mbedtls_ssl_context *ssl)
{
    tls_kept_t *kept = tls_sessions_find(options);
    kept = kept != NULL ? kept : tls_sessions_oldest();
    tls_sessions_drop(kept);
    mbedtls_ssl_session_init(&kept->session);
    kept->port = options->port;
    kept->anonymous = options->anonymous;
    kept->last_use = ++s_uses;
    strcpy(kept->name, tls_sessions_name(options));
    strncpy(kept->identity, tls_sessions_identity(options), sizeof kept->identity - 1u);
    kept->used = mbedtls_ssl_get_session(ssl, &kept->session) == 0;
    if (!kept->used) {
        mbedtls_ssl_session_free(&kept->session);
    }
}

void tls_sessions_keep(const connection_options_t *options, const mbedtls_ssl_context *ssl,
                       uint32_t generation)
{
    if (strlen(tls_sessions_name(options)) >= NAME_BYTES) {
        return;
    }
    net_mutex_take(&s_mutex);
    if (generation == s_generation) {
        tls_sessions_put(options, ssl);
    }
    net_mutex_give(&s_mutex);
}

void tls_sessions_forget(void)
{
    net_mutex_take(&s_mutex);
    s_generation++;
    for (size_t i = 0; i < SESSIONS; i++) {
        tls_sessions_drop(&s_kept[i]);
    }
    net_mutex_give(&s_mutex);
}
