// SPDX-License-Identifier: MIT
// Defects of TLS, credentials and PKCS #11, by the rules of defects.c. Never part of a product
// build.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef RIG_DEFECT_TLS_NAME_UNCHECKED // the server's certificate may be for any name
    #include "mbedtls/ssl.h"
int __wrap_mbedtls_ssl_set_hostname(mbedtls_ssl_context *ssl, const char *name);
int __wrap_mbedtls_ssl_set_hostname(mbedtls_ssl_context *ssl, const char *name)
{
    (void)ssl;
    (void)name;
    return 0;
}
#endif

#ifdef RIG_DEFECT_TLS_DATE_UNCHECKED // a certificate never expires
    #include "mbedtls/x509.h"
int __wrap_mbedtls_x509_time_is_past(const mbedtls_x509_time *to);
int __wrap_mbedtls_x509_time_is_past(const mbedtls_x509_time *to)
{
    (void)to;
    return 0;
}
#endif

#ifdef RIG_DEFECT_TLS_SESSION_LOST // every handshake is a whole one
    #include "tls_sessions.h"
bool __wrap_tls_sessions_offer(const connection_options_t *options, mbedtls_ssl_context *ssl);
bool __wrap_tls_sessions_offer(const connection_options_t *options, mbedtls_ssl_context *ssl)
{
    (void)options;
    (void)ssl;
    return false;
}
#endif

#ifdef RIG_DEFECT_TLS_LEAK // a few bytes are lost with every connection
    #include "mbedtls/ssl.h"
void __wrap_mbedtls_ssl_config_free(mbedtls_ssl_config *config);
void __wrap_mbedtls_ssl_config_free(mbedtls_ssl_config *config)
{
    (void)config;
}
#endif

#ifdef RIG_DEFECT_TLS_ALERT_UNTOLD // the server is not told why a handshake ended
    #include "mbedtls/ssl.h"
int __wrap_mbedtls_ssl_send_alert_message(mbedtls_ssl_context *ssl, unsigned char level,
                                          unsigned char message);
int __wrap_mbedtls_ssl_send_alert_message(mbedtls_ssl_context *ssl, unsigned char level,
                                          unsigned char message)
{
    (void)ssl;
    (void)level;
    (void)message;
    return 0;
}
#endif

#ifdef RIG_DEFECT_TLS_IDLE_LOST // a connection on which nothing came within the time counts as lost
    #include "connection.h"
int32_t __real_connection_tls_receive(NetworkContext_t *context, void *bytes, size_t length);
int32_t __wrap_connection_tls_receive(NetworkContext_t *context, void *bytes, size_t length);
int32_t __wrap_connection_tls_receive(NetworkContext_t *context, void *bytes, size_t length)
{
    int32_t got = __real_connection_tls_receive(context, bytes, length);
    return got == 0 ? STATUS_CLOSED : got;
}
#endif

#ifdef RIG_DEFECT_KEY_TOLD // the value of a private key can be read
    #include "pkcs11.h"
CK_RV __real_C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                 CK_ATTRIBUTE *template, CK_ULONG count);
CK_RV __wrap_C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                 CK_ATTRIBUTE *template, CK_ULONG count);
CK_RV __wrap_C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                 CK_ATTRIBUTE *template, CK_ULONG count)
{
    CK_RV result = __real_C_GetAttributeValue(session, object, template, count);
    if (result == CKR_ATTRIBUTE_SENSITIVE) {
        template->ulValueLen = 32;
        return CKR_OK;
    }
    return result;
}
#endif

#ifdef RIG_DEFECT_KEY_NOT_KEPT // what the token keeps is gone with power
    #include "token.h"
status_t __wrap_token_save(void);
status_t __wrap_token_save(void)
{
    return STATUS_OK;
}
#endif

#ifdef RIG_DEFECT_VERIFY_LAX // every signature holds
    #include "p256.h"
status_t __wrap_p256_verify(const uint8_t *point, const uint8_t *digest, size_t length,
                            const uint8_t *signature);
status_t __wrap_p256_verify(const uint8_t *point, const uint8_t *digest, size_t length,
                            const uint8_t *signature)
{
    (void)point;
    (void)digest;
    (void)length;
    (void)signature;
    return STATUS_OK;
}
#endif

#ifdef RIG_DEFECT_RANDOM_REPEATS // random numbers come again after 256 bytes
    #include "tls_platform.h"
int __wrap_tls_random(void *unused, unsigned char *bytes, size_t length);
int __wrap_tls_random(void *unused, unsigned char *bytes, size_t length)
{
    static unsigned char s_next;
    (void)unused;
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (unsigned char)(167u * s_next++ + 13u);
    }
    return 0;
}
#endif
