// SPDX-License-Identifier: MIT
#include "tls_words.h"

#include "line.h"

#include "mbedtls/ecp.h"
#include "mbedtls/ssl.h"
#include "mbedtls/x509.h"

#include <stdbool.h>
#include <string.h>

typedef struct {
    uint32_t flags;
    const char *words;
} certificate_row_t;

static const certificate_row_t s_certificate[] = {
    {MBEDTLS_X509_BADCERT_CN_MISMATCH, "name"},
    {MBEDTLS_X509_BADCERT_EXPIRED, "expired"},
    {MBEDTLS_X509_BADCERT_FUTURE, "not yet valid"},
    {MBEDTLS_X509_BADCERT_NOT_TRUSTED, "not trusted"},
    {MBEDTLS_X509_BADCERT_BAD_KEY, "weak key"},
    {MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK, "weak signature"},
    {MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE |
         MBEDTLS_X509_BADCERT_NS_CERT_TYPE,
     "usage"},
};

typedef struct {
    int number;
    const char *words;
} number_row_t;

static const number_row_t s_errors[] = {
    {MBEDTLS_ERR_SSL_ALLOC_FAILED, "memory: the pool is full"},
    {MBEDTLS_ERR_X509_ALLOC_FAILED, "memory: the pool is full"},
    {MBEDTLS_ERR_MPI_ALLOC_FAILED, "memory: the pool is full"},
    {MBEDTLS_ERR_ECP_ALLOC_FAILED, "memory: the pool is full"},
    {MBEDTLS_ERR_SSL_CONN_EOF, "the server closed the connection"},
    {MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY, "the server closed the connection"},
    {MBEDTLS_ERR_SSL_TIMEOUT, "no answer in time"},
    {MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION, "version: the server wants another TLS"},
    {MBEDTLS_ERR_SSL_NO_CIPHER_CHOSEN, "suite: none in common"},
    {MBEDTLS_ERR_SSL_BAD_HS_SERVER_HELLO, "the server's hello is not as it must be"},
    {MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE, "certificate: unreadable or missing"},
    {MBEDTLS_ERR_SSL_BAD_HS_SERVER_KEY_EXCHANGE, "the server's key exchange does not hold"},
    {MBEDTLS_ERR_SSL_INVALID_MAC, "a record was changed on its way"},
    {MBEDTLS_ERR_SSL_INVALID_RECORD, "a record is not as it must be"},
    {MBEDTLS_ERR_SSL_PRIVATE_KEY_REQUIRED, "no certificate of this board"},
    {MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, "a message out of turn"},
};

static const number_row_t s_alerts[] = {
    // RFC 5246, 7.2
    {MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE, "handshake failure"},
    {MBEDTLS_SSL_ALERT_MSG_BAD_CERT, "bad certificate"},
    {MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT, "unsupported certificate"},
    {MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED, "certificate revoked"},
    {MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED, "certificate expired"},
    {MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN, "certificate unknown"},
    {MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA, "unknown authority"},
    {MBEDTLS_SSL_ALERT_MSG_ACCESS_DENIED, "access denied"},
    {MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR, "decrypt error"},
    {MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION, "protocol version"},
    {MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR, "internal error"},
    {MBEDTLS_SSL_ALERT_MSG_UNRECOGNIZED_NAME, "unrecognised name"},
    {MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL, "no application protocol"},
};

static void words_add(char *words, size_t size, const char *more)
{
    size_t length = strlen(words);
    strncat(words, more, size - length - 1u);
}

static const char *words_find(const number_row_t *rows, size_t count, int number)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].number == number) {
            return rows[i].words;
        }
    }
    return NULL;
}

static void words_add_number(char *words, size_t size, uint32_t number)
{
    char digits[11];
    (void)line_format_u32(number, digits);
    words_add(words, size, digits);
}

void tls_words_of_certificate(uint32_t flags, char *words, size_t size)
{
    bool first = true;
    words[0] = '\0';
    for (size_t i = 0; i < sizeof s_certificate / sizeof s_certificate[0]; i++) {
        if ((flags & s_certificate[i].flags) != 0u) {
            words_add(words, size, first ? "certificate: " : ", ");
            words_add(words, size, s_certificate[i].words);
            first = false;
        }
    }
    if (first && flags != 0u) {
        words_add(words, size, "certificate: refused, flags ");
        words_add_number(words, size, flags);
    }
}

void tls_words_of_error(int error, uint8_t alert, char *words, size_t size)
{
    words[0] = '\0';
    if (error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        const char *name = words_find(s_alerts, sizeof s_alerts / sizeof s_alerts[0], alert);
        words_add(words, size, "alert from the server: ");
        words_add(words, size, name != NULL ? name : "number ");
        if (name == NULL) {
            words_add_number(words, size, alert);
        }
        return;
    }
    const char *found = words_find(s_errors, sizeof s_errors / sizeof s_errors[0], error);
    words_add(words, size, found != NULL ? found : "mbedTLS error -");
    if (found == NULL) {
        words_add_number(words, size, (uint32_t)-error);
    }
}
