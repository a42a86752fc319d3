// SPDX-License-Identifier: MIT
#include "connection_tls.h"

#include "connection_internal.h"
#include "credentials.h"
#include "kernel_compat.h"
#include "platform.h"
#include "self_test_fault.h"
#include "tls_platform.h"
#include "tls_sessions.h"
#include "tls_words.h"

#include "mbedtls/ssl.h"
#include "mbedtls/ssl_internal.h"

#include <string.h>

enum { STAGE_BYTES = 1536, CLOSE_MS = 200, ALPN_BYTES = 40, TURN_MS = 20 };

// A TLS connection. mbedTLS lets one task at a time into its context, but one task may send here
// while another waits for something to receive: it waits in the TCP stack, for bytes of `stage`,
// without the mutex, and takes that only to have them decrypted. Nor does a send that the peer
// holds up keep the mutex: it waits in turns of TURN_MS, between which others come to theirs. Over
// Wi-Fi a turn may last as long as the module needs to take a piece (wifi_stack.c), which has one
// conversation for both directions anyway.
typedef struct {
    NetworkContext_t *context; // NULL: free
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config config;
    mbedtls_x509_crt certificate, roots;
    mbedtls_pk_context key;
    SemaphoreHandle_t mutex;
    StaticSemaphore_t mutex_memory;
    const char *protocols[2]; // mbedTLS keeps the pointer: to `alpn`
    char alpn[ALPN_BYTES];
    uint32_t deadline; // of the handshake; then of the call of send
    bool shaking;
    bool verified; // the server's certificate was looked at, so that this is no resumed session
    bool lost;     // the TCP connection is gone
    uint32_t handshake_us;
    size_t largest; // record received
    size_t staged, stage_at;
    uint8_t stage[STAGE_BYTES];
} tls_t;

static tls_t s_connections[CONNECTION_COUNT];

// ---- suites ------------------------------------------------------------------------------------

// Forward secrecy and authenticated encryption alone; ECDSA first, because an EC certificate is
// checked with less work for the server, AES-128 first, because it is less work here.
static const int s_suites[] = {
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    0,
};

static const mbedtls_ecp_group_id s_curves[] = {
    MBEDTLS_ECP_DP_SECP256R1,
    MBEDTLS_ECP_DP_CURVE25519,
    MBEDTLS_ECP_DP_SECP384R1,
    MBEDTLS_ECP_DP_NONE,
};

static const int s_hashes[] = {MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384, MBEDTLS_MD_SHA512,
                               MBEDTLS_MD_NONE};

const int *connection_tls_suites(size_t *count)
{
    *count = sizeof s_suites / sizeof s_suites[0] - 1u;
    return s_suites;
}

// ---- bytes under TLS ---------------------------------------------------------------------------

static int tls_lost(tls_t *tls)
{
    tls->lost = true;
    return MBEDTLS_ERR_SSL_CONN_EOF;
}

// Fills the stage; above 0 when there is something in it, 0 when nothing came within the time.
static int32_t tls_stage(tls_t *tls, uint32_t timeout_ms)
{
    if (tls->staged > tls->stage_at) {
        return 1;
    }
    int32_t count = tls->context->stack->receive(tls->context->handle, tls->stage,
                                                 sizeof tls->stage, timeout_ms);
    tls->stage_at = 0;
    tls->staged = count > 0 ? (size_t)count : 0u;
    return count;
}

static int tls_receive_below(void *argument, unsigned char *bytes, size_t length)
{
    tls_t *tls = argument;
    int32_t staged = 1;
    if (tls->shaking) {
        staged = tls_stage(tls, connection_left_ms(tls->deadline));
    } else if (tls->staged == tls->stage_at) {
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    if (staged <= 0) {
        return staged == 0 ? MBEDTLS_ERR_SSL_TIMEOUT : tls_lost(tls);
    }
    size_t there = tls->staged - tls->stage_at;
    size_t count = length < there ? length : there;
    memcpy(bytes, tls->stage + tls->stage_at, count);
    tls->stage_at += count;
    return (int)count;
}

static int tls_send_below(void *argument, const unsigned char *bytes, size_t length)
{
    tls_t *tls = argument;
    int32_t count = tls->context->stack->send(tls->context->handle, bytes, length,
                                              connection_left_ms(tls->deadline));
    if (count < 0) {
        return tls_lost(tls);
    }
    if (count == 0) {
        return tls->shaking ? MBEDTLS_ERR_SSL_TIMEOUT : MBEDTLS_ERR_SSL_WANT_WRITE;
    }
    return (int)count;
}

// What is left of a record that went out in part; 0 when it is out.
static int tls_flush(tls_t *tls)
{
    return tls->ssl.out_left != 0u ? mbedtls_ssl_flush_output(&tls->ssl) : 0;
}

// ---- handshake ---------------------------------------------------------------------------------

// Called for each certificate of the server's chain; says nothing, only remembers.
static int tls_on_certificate(void *argument, mbedtls_x509_crt *certificate, int depth,
                              uint32_t *flags)
{
    tls_t *tls = argument;
    (void)certificate;
    (void)depth;
    tls->verified = true;
    (void)flags;
    return 0;
}

static status_t tls_say(status_t status, const char *fault)
{
    connection_set_fault(fault);
    return status;
}

// Whom the server must be, and who we are.
static status_t tls_prepare_identities(tls_t *tls, const connection_options_t *options)
{
    const char *identity = options->identity != NULL ? options->identity : CREDENTIALS_DEFAULT;
    if (credentials_authorities(&tls->roots) != STATUS_OK) {
        return tls_say(STATUS_TLS, "no authority is trusted: cred.certificate gives one");
    }
    mbedtls_ssl_conf_ca_chain(&tls->config, &tls->roots, NULL);
    if (options->anonymous || self_test_fault_has_no_identity()) {
        return STATUS_OK;
    }
    if (credentials_identity(identity, &tls->certificate, &tls->key) != STATUS_OK) {
        return tls_say(STATUS_TLS, "this board has no certificate to show, or no key for it");
    }
    return mbedtls_ssl_conf_own_cert(&tls->config, &tls->certificate, &tls->key) == 0
               ? STATUS_OK
               : tls_say(STATUS_TLS, "memory: the pool is full");
}

static status_t tls_configure(tls_t *tls, const connection_options_t *options)
{
    mbedtls_ssl_config *config = &tls->config;
    if (mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0) {
        return tls_say(STATUS_TLS, "memory: the pool is full");
    }
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_verify(config, tls_on_certificate, tls);
    mbedtls_ssl_conf_rng(config, tls_random, NULL);
    mbedtls_ssl_conf_ciphersuites(config, s_suites);
    mbedtls_ssl_conf_curves(config, s_curves);
    mbedtls_ssl_conf_sig_hashes(config, s_hashes);
    if (options->alpn != NULL && strlen(options->alpn) >= sizeof tls->alpn) {
        return tls_say(STATUS_TLS, "alpn: longer than 39 characters");
    }
    if (options->alpn != NULL) {
        strncpy(tls->alpn, options->alpn, sizeof tls->alpn - 1u);
        tls->protocols[0] = tls->alpn;
        (void)mbedtls_ssl_conf_alpn_protocols(config, tls->protocols);
    }
    return tls_prepare_identities(tls, options);
}

static status_t tls_prepare(tls_t *tls, const connection_options_t *options)
{
    const char *name = options->server_name != NULL ? options->server_name : options->host;
    status_t status = tls_configure(tls, options);
    if (status != STATUS_OK) {
        return status;
    }
    if (mbedtls_ssl_setup(&tls->ssl, &tls->config) != 0 ||
        mbedtls_ssl_set_hostname(&tls->ssl, name) != 0) {
        return tls_say(STATUS_TLS, "memory: the pool is full");
    }
    mbedtls_ssl_set_bio(&tls->ssl, tls, tls_send_below, tls_receive_below, NULL);
    if (options->resume) {
        (void)tls_sessions_offer(options, &tls->ssl);
    }
    return STATUS_OK;
}

static status_t tls_fail(tls_t *tls, int error)
{
    char words[CONNECTION_FAULT_BYTES];
    if (error == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
        tls_words_of_certificate(mbedtls_ssl_get_verify_result(&tls->ssl), words, sizeof words);
    } else {
        tls_words_of_error(error, tls->ssl.in_msg != NULL ? tls->ssl.in_msg[1] : 0u, words,
                           sizeof words);
    }
    return tls_say(error == MBEDTLS_ERR_SSL_TIMEOUT ? STATUS_TIMEOUT : STATUS_TLS, words);
}

static status_t tls_shake(tls_t *tls)
{
    const volatile uint32_t *counter = (const volatile uint32_t *)PLATFORM_COUNTER_AT;
    uint32_t begin = *counter;
    tls->shaking = true;
    int error = mbedtls_ssl_handshake(&tls->ssl);
    tls->shaking = false;
    tls->handshake_us = (*counter - begin) / (PLATFORM_COUNTER_HZ / 1000000u);
    return error == 0 ? STATUS_OK : tls_fail(tls, error);
}

// ---- opening and closing -----------------------------------------------------------------------

static tls_t *tls_take(NetworkContext_t *context)
{
    tls_t *taken = NULL;
    taskENTER_CRITICAL();
    for (size_t i = 0; i < CONNECTION_COUNT && taken == NULL; i++) {
        if (s_connections[i].context == NULL) {
            taken = &s_connections[i];
            memset(taken, 0, offsetof(tls_t, stage));
            taken->context = context;
        }
    }
    taskEXIT_CRITICAL();
    return taken;
}

static void tls_free(tls_t *tls)
{
    mbedtls_ssl_free(&tls->ssl);
    mbedtls_ssl_config_free(&tls->config);
    mbedtls_x509_crt_free(&tls->certificate);
    mbedtls_x509_crt_free(&tls->roots);
    mbedtls_pk_free(&tls->key);
    memset(tls->stage, 0, sizeof tls->stage);
    tls->context = NULL;
}

static tls_t *tls_begin(NetworkContext_t *context, uint32_t deadline)
{
    tls_t *tls = tls_take(context);
    if (tls != NULL) {
        tls->mutex = xSemaphoreCreateMutexStatic(&tls->mutex_memory);
        tls->deadline = deadline;
        mbedtls_ssl_init(&tls->ssl);
        mbedtls_ssl_config_init(&tls->config);
        mbedtls_x509_crt_init(&tls->certificate);
        mbedtls_x509_crt_init(&tls->roots);
        mbedtls_pk_init(&tls->key);
    }
    return tls;
}

status_t connection_tls_open(NetworkContext_t *context, const connection_options_t *options,
                             uint32_t deadline)
{
    if (tls_platform_init() != STATUS_OK) {
        return tls_say(STATUS_TLS, "no source of random numbers");
    }
    if (!tls_clock_is_set()) {
        return tls_say(STATUS_TLS, "clock: not set, so that no dates can be checked: time.set");
    }
    uint32_t generation = tls_sessions_generation();
    tls_t *tls = tls_begin(context, deadline);
    if (tls == NULL) {
        return tls_say(STATUS_RANGE, "too many connections");
    }
    status_t status = tls_prepare(tls, options);
    status = status == STATUS_OK ? tls_shake(tls) : status;
    if (status != STATUS_OK) {
        tls_free(tls);
        return status;
    }
    tls_sessions_keep(options, &tls->ssl, generation);
    context->tls = tls;
    return STATUS_OK;
}

void connection_tls_close(NetworkContext_t *context)
{
    tls_t *tls = context->tls;
    tls->deadline = connection_deadline(CLOSE_MS);
    if (!tls->lost) {
        (void)tls_flush(tls); // or close_notify would do no more than that
        (void)mbedtls_ssl_close_notify(&tls->ssl);
    }
    tls_free(tls);
    context->tls = NULL;
}

bool connection_tls_facts(const NetworkContext_t *context, connection_tls_facts_t *facts)
{
    const tls_t *tls = context->tls;
    if (tls == NULL) {
        return false;
    }
    const char *protocol = mbedtls_ssl_get_alpn_protocol(&tls->ssl);
    int record = mbedtls_ssl_get_max_out_record_payload(&tls->ssl);
    *facts = (connection_tls_facts_t){
        .suite = mbedtls_ssl_get_ciphersuite(&tls->ssl),
        .version = mbedtls_ssl_get_version(&tls->ssl),
        .protocol = protocol != NULL ? protocol : "",
        .resumed = !tls->verified,
        .handshake_us = tls->handshake_us,
        .record_bytes = record > 0 ? (size_t)record : 0u,
        .largest_bytes = tls->largest,
    };
    return true;
}

// ---- bytes over TLS ----------------------------------------------------------------------------

// What mbedTLS said, as TransportSend_t and TransportRecv_t promise it.
static int32_t tls_result(tls_t *tls, int result)
{
    if (result > 0) {
        return result;
    }
    if (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE) {
        return 0;
    }
    tls->lost = true;
    return result == 0 || result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY ||
                   result == MBEDTLS_ERR_SSL_CONN_EOF
               ? STATUS_CLOSED
               : STATUS_TLS;
}

// What is encrypted is taken, also when only a part of its record went out: the rest goes with the
// next call. mbedTLS alone would say that nothing was taken, and then of other bytes, with which
// the caller may come back, that they were what it had sent.
static int tls_write(tls_t *tls, const void *bytes, size_t length)
{
    int most = mbedtls_ssl_get_max_out_record_payload(&tls->ssl);
    int result = most > 0 ? tls_flush(tls) : most;
    if (result != 0) {
        return result;
    }
    size_t count = length < (size_t)most ? length : (size_t)most;
    result = mbedtls_ssl_write(&tls->ssl, bytes, count);
    return result == MBEDTLS_ERR_SSL_WANT_WRITE ? (int)count : result;
}

// One turn of a send that ends at `deadline`: gets out what waits, and then takes bytes unless
// *taken says that an earlier turn did. Returns whether there is more to wait for.
static bool tls_send_turn(tls_t *tls, const void *bytes, size_t length, uint32_t deadline,
                          int32_t *taken)
{
    uint32_t left_ms = connection_left_ms(deadline);
    (void)xSemaphoreTake(tls->mutex, portMAX_DELAY);
    tls->deadline = connection_deadline(left_ms < TURN_MS ? left_ms : TURN_MS);
    int result = *taken == 0 ? tls_write(tls, bytes, length) : tls_flush(tls);
    if (result != 0 || *taken == 0) {
        int32_t said = tls_result(tls, result);
        *taken = said != 0 ? said : *taken;
    }
    bool waits = *taken >= 0 && tls->ssl.out_left != 0u && connection_left_ms(deadline) > 0u;
    (void)xSemaphoreGive(tls->mutex);
    return waits;
}

int32_t connection_tls_send(NetworkContext_t *context, const void *bytes, size_t length)
{
    tls_t *tls = context->tls;
    uint32_t deadline = connection_deadline(context->send_timeout_ms);
    int32_t taken = 0;
    if (tls->lost) {
        return STATUS_CLOSED;
    }
    while (tls_send_turn(tls, bytes, length, deadline, &taken)) {
        vTaskDelay(1); // for who waits for the mutex, of whatever priority
    }
    return taken;
}

static int32_t tls_read(tls_t *tls, void *bytes, size_t length)
{
    (void)xSemaphoreTake(tls->mutex, portMAX_DELAY);
    (void)tls_flush(tls); // an answer may wait for it
    int32_t result = tls_result(tls, mbedtls_ssl_read(&tls->ssl, bytes, length));
    size_t record = mbedtls_ssl_get_bytes_avail(&tls->ssl) + (size_t)(result > 0 ? result : 0);
    tls->largest = record > tls->largest ? record : tls->largest;
    (void)xSemaphoreGive(tls->mutex);
    return result;
}

int32_t connection_tls_receive(NetworkContext_t *context, void *bytes, size_t length)
{
    tls_t *tls = context->tls;
    uint32_t deadline = connection_deadline(context->receive_timeout_ms);
    if (tls->lost) {
        return STATUS_CLOSED;
    }
    int32_t result = tls_read(tls, bytes, length); // of a record that is there already
    while (result == 0) {
        int32_t staged = tls_stage(tls, connection_left_ms(deadline));
        if (staged <= 0) {
            tls->lost = staged < 0;
            return staged < 0 ? STATUS_CLOSED : 0;
        }
        result = tls_read(tls, bytes, length);
    }
    return result;
}
