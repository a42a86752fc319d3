// SPDX-License-Identifier: MIT
#include "csr.h"

#include "mbedtls/asn1write.h"
#include "mbedtls/md.h"
#include "mbedtls/oid.h"
#include "mbedtls/sha256.h"

#include <string.h>

enum {
    SEQUENCE = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE,
    SET = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SET,
    ATTRIBUTES = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED
};

enum { SIGNATURE_BYTES = 80, DIGEST_BYTES = 32 };

// DER is written from its end to its begin: each call puts something before what is there. After
// an error nothing more is written.
typedef struct {
    unsigned char *begin; // of the buffer
    unsigned char *at;    // of what is written
    int error;
} csr_writer_t;

static void csr_took(csr_writer_t *writer, int result)
{
    writer->error = writer->error == 0 && result < 0 ? result : writer->error;
}

// Puts tag and length before everything from the writer's place to `end`.
static void csr_wrap(csr_writer_t *writer, int tag, const unsigned char *end)
{
    if (writer->error == 0) {
        csr_took(writer,
                 mbedtls_asn1_write_len(&writer->at, writer->begin, (size_t)(end - writer->at)));
    }
    if (writer->error == 0) {
        csr_took(writer, mbedtls_asn1_write_tag(&writer->at, writer->begin, (unsigned char)tag));
    }
}

static void csr_put(csr_writer_t *writer, const void *bytes, size_t length)
{
    if (writer->error == 0) {
        csr_took(writer, mbedtls_asn1_write_raw_buffer(&writer->at, writer->begin, bytes, length));
    }
}

static void csr_put_oid(csr_writer_t *writer, const char *oid, size_t length)
{
    if (writer->error == 0) {
        csr_took(writer, mbedtls_asn1_write_oid(&writer->at, writer->begin, oid, length));
    }
}

// Name ::= SEQUENCE { SET { SEQUENCE { commonName, UTF8String } } }
static void csr_put_name(csr_writer_t *writer, const char *name)
{
    const unsigned char *end = writer->at;
    csr_put(writer, name, strlen(name));
    csr_wrap(writer, MBEDTLS_ASN1_UTF8_STRING, end);
    csr_put_oid(writer, MBEDTLS_OID_AT_CN, MBEDTLS_OID_SIZE(MBEDTLS_OID_AT_CN));
    csr_wrap(writer, SEQUENCE, end);
    csr_wrap(writer, SET, end);
    csr_wrap(writer, SEQUENCE, end);
}

// CertificationRequestInfo ::= SEQUENCE { version 0, subject, key, [0] no attributes }
static void csr_put_info(csr_writer_t *writer, mbedtls_pk_context *key, const char *name)
{
    const unsigned char *end = writer->at;
    csr_wrap(writer, ATTRIBUTES, end);
    if (writer->error == 0) { // writes to the end of the space before what is there
        int length =
            mbedtls_pk_write_pubkey_der(key, writer->begin, (size_t)(writer->at - writer->begin));
        csr_took(writer, length);
        writer->at -= length > 0 ? length : 0;
    }
    csr_put_name(writer, name);
    if (writer->error == 0) {
        csr_took(writer, mbedtls_asn1_write_int(&writer->at, writer->begin, 0));
    }
    csr_wrap(writer, SEQUENCE, end);
}

// What stands behind the info: AlgorithmIdentifier without parameters, BIT STRING.
static void csr_put_signature(csr_writer_t *writer, const unsigned char *signature, size_t length)
{
    const unsigned char *end = writer->at;
    csr_put(writer, signature, length);
    csr_put(writer, "\0", 1); // no unused bits
    csr_wrap(writer, MBEDTLS_ASN1_BIT_STRING, end);
    const unsigned char *algorithm_end = writer->at;
    csr_put_oid(writer, MBEDTLS_OID_ECDSA_SHA256, MBEDTLS_OID_SIZE(MBEDTLS_OID_ECDSA_SHA256));
    csr_wrap(writer, SEQUENCE, algorithm_end);
}

// The info's signature; 0 or an error.
static int csr_sign(mbedtls_pk_context *key, const csr_writer_t *info, const unsigned char *end,
                    unsigned char *signature, size_t *length)
{
    unsigned char digest[DIGEST_BYTES];
    int error = mbedtls_sha256_ret(info->at, (size_t)(end - info->at), digest, 0);
    return error == 0 ? mbedtls_pk_sign(key, MBEDTLS_MD_SHA256, digest, sizeof digest, signature,
                                        length, NULL, NULL)
                      : error;
}

int csr_write(mbedtls_pk_context *key, const char *name, uint8_t *der, size_t size)
{
    unsigned char signature[SIGNATURE_BYTES];
    size_t length = 0;
    const unsigned char *end = der + size;
    csr_writer_t writer = {der, der + size, 0};
    csr_put_info(&writer, key, name); // once to be signed, then again before its signature
    if (writer.error == 0) {
        csr_took(&writer, csr_sign(key, &writer, end, signature, &length));
    }
    writer.at = der + size;
    csr_put_signature(&writer, signature, length);
    csr_put_info(&writer, key, name);
    csr_wrap(&writer, SEQUENCE, end);
    return writer.error == 0 ? (int)(end - writer.at) : writer.error;
}
