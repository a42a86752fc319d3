// SPDX-License-Identifier: MIT
// Commands about the board's identities and the authorities it trusts. The work is done in
// net.work.
#include "commands_table.h"
#include "console.h"
#include "credentials.h"
#include "hex.h"
#include "net_work.h"
#include "p256.h"
#include "pkcs11.h"
#include "sha256.h"
#include "staging.h"
#include "tls_platform.h"
#include "token.h"

#include "mbedtls/oid.h"

#include <string.h>

enum { REQUEST_BYTES = 768, NAME_BYTES = 65, DATE_BYTES = 20 };

typedef struct {
    const char *label, *name;
    credentials_role_t role;
    size_t length;
    uint8_t bytes[REQUEST_BYTES]; // of a request or a point
} cred_job_t;

static cred_job_t s_job;

// Runs a job; false after its error was answered.
static bool cred_run(int (*run)(void *), reply_t *reply)
{
    int status = net_work_run(run, &s_job);
    if (status < 0) {
        reply_error(reply, status_word((status_t)status), credentials_fault());
        return false;
    }
    s_job.length = (size_t)status;
    return true;
}

static void cred_add_digest(line_t *line, const char *key, const void *bytes, size_t length)
{
    uint8_t digest[SHA256_BYTES];
    char text[SHA256_TEXT_BYTES];
    sha256_digest(bytes, length, digest);
    sha256_text(digest, text);
    line_add_text(line, key, text);
}

// ---- keys and requests -------------------------------------------------------------------------

static int cred_job_key(void *argument)
{
    cred_job_t *job = argument;
    return credentials_make_key(job->label, job->bytes);
}

void command_cred_key(const command_call_t *call, reply_t *reply)
{
    char text[HEX_TEXT_BYTES];
    s_job.label = call->values[ARG_CRED_KEY_LABEL].text;
    if (cred_run(cred_job_key, reply)) {
        hex_format(s_job.bytes, P256_POINT_BYTES, text);
        line_t *line = reply_ok(reply);
        line_add_text(line, "label", s_job.label);
        line_add_text(line, "point", text);
        reply_send(reply);
    }
}

static int cred_job_request(void *argument)
{
    cred_job_t *job = argument;
    return credentials_request(job->label, job->name, job->bytes, sizeof job->bytes);
}

void command_cred_csr(const command_call_t *call, reply_t *reply)
{
    const argument_value_t *name = &call->values[ARG_CRED_CSR_NAME];
    s_job.label = call->values[ARG_CRED_CSR_LABEL].text;
    s_job.name = name->present ? name->text : s_job.label;
    if (!cred_run(cred_job_request, reply)) {
        return;
    }
    for (size_t at = 0; at < s_job.length; at += HEX_MOST_BYTES) {
        char text[HEX_TEXT_BYTES];
        size_t left = s_job.length - at;
        hex_format(s_job.bytes + at, left < HEX_MOST_BYTES ? left : HEX_MOST_BYTES, text);
        line_t *line = reply_data(reply);
        line_add_u32(line, "offset", (uint32_t)at);
        line_add_text(line, "data", text);
        reply_send(reply);
    }
    line_t *line = reply_ok(reply);
    line_add_u32(line, "length", (uint32_t)s_job.length);
    cred_add_digest(line, "sha256", s_job.bytes, s_job.length);
    reply_send(reply);
}

// ---- certificates ------------------------------------------------------------------------------

void command_cred_certificate(const command_call_t *call, reply_t *reply)
{
    uint8_t bytes[HEX_MOST_BYTES];
    size_t length;
    int count = hex_parse(call->values[ARG_CRED_CERTIFICATE_DATA].text, bytes, sizeof bytes);
    status_t status = count < 0
                          ? (status_t)count
                          : staging_put((size_t)call->values[ARG_CRED_CERTIFICATE_OFFSET].number,
                                        bytes, (size_t)count);
    if (status != STATUS_OK) {
        reply_error(reply, status_word(status), count < 0 ? "data" : "offset");
        return;
    }
    (void)staging_bytes(&length);
    line_add_u32(reply_ok(reply), "length", (uint32_t)length);
    reply_send(reply);
}

static int cred_job_commit(void *argument)
{
    cred_job_t *job = argument;
    size_t length;
    const uint8_t *der = staging_bytes(&length);
    if (length != job->length) {
        return STATUS_RANGE;
    }
    return credentials_keep(job->label, job->role, der, length);
}

static credentials_role_t cred_role(const char *kind)
{
    if (strcmp(kind, "authority") == 0) {
        return CREDENTIALS_AUTHORITY;
    }
    return strcmp(kind, "signer") == 0 ? CREDENTIALS_SIGNER : CREDENTIALS_IDENTITY;
}

void command_cred_commit(const command_call_t *call, reply_t *reply)
{
    size_t length;
    const uint8_t *der = staging_bytes(&length);
    s_job.label = call->values[ARG_CRED_COMMIT_LABEL].text;
    s_job.role = cred_role(call->values[ARG_CRED_COMMIT_KIND].text);
    s_job.length = (size_t)call->values[ARG_CRED_COMMIT_LENGTH].number;
    if (length != s_job.length) {
        reply_error(reply, status_word(STATUS_RANGE), "length: not as many bytes came");
        return;
    }
    if (cred_run(cred_job_commit, reply)) {
        line_t *line = reply_ok(reply);
        line_add_text(line, "label", call->values[ARG_CRED_COMMIT_LABEL].text);
        cred_add_digest(line, "sha256", der, length);
        reply_send(reply);
    }
    staging_clear();
}

// ---- what there is -----------------------------------------------------------------------------

typedef struct {
    char label[OBJECT_LABEL_BYTES + 1];
    const char *kind;
    bool local;
    size_t length;
    char subject[NAME_BYTES], issuer[NAME_BYTES];
    char from[DATE_BYTES], until[DATE_BYTES];
    uint8_t digest[SHA256_BYTES];
} cred_row_t;

static cred_row_t s_list[OBJECT_COUNT];

static void cred_copy_name(char out[NAME_BYTES], mbedtls_x509_name *name)
{
    const mbedtls_asn1_named_data *found =
        mbedtls_asn1_find_named_data(name, MBEDTLS_OID_AT_CN, MBEDTLS_OID_SIZE(MBEDTLS_OID_AT_CN));
    size_t length = found != NULL ? found->val.len : 0u;
    length = length < NAME_BYTES - 1u ? length : NAME_BYTES - 1u;
    memcpy(out, found != NULL ? found->val.p : (const unsigned char *)"", length);
    out[length] = '\0';
}

static void cred_put_number(char **out, int number, size_t digits)
{
    char text[11];
    size_t length = line_format_u32((uint32_t)number, text);
    for (size_t i = length; i < digits; i++) {
        *(*out)++ = '0';
    }
    memcpy(*out, text, length);
    *out += length;
}

static void cred_copy_date(char out[DATE_BYTES], const mbedtls_x509_time *time)
{
    cred_put_number(&out, time->year, 4);
    *out++ = '-';
    cred_put_number(&out, time->mon, 2);
    *out++ = '-';
    cred_put_number(&out, time->day, 2);
    *out = '\0';
}

static void cred_describe(const object_t *object, cred_row_t *row)
{
    mbedtls_x509_crt certificate;
    mbedtls_x509_crt_init(&certificate);
    if (object->kind == CKO_CERTIFICATE &&
        mbedtls_x509_crt_parse_der(&certificate, object->value, object->length) == 0) {
        cred_copy_name(row->subject, &certificate.subject);
        cred_copy_name(row->issuer, &certificate.issuer);
        cred_copy_date(row->from, &certificate.valid_from);
        cred_copy_date(row->until, &certificate.valid_to);
    }
    mbedtls_x509_crt_free(&certificate);
    if (object->kind != CKO_PRIVATE_KEY) { // of that one, not even a digest
        sha256_digest(object->value, object->length, row->digest);
    }
}

static const char *cred_kind(const object_t *object)
{
    if (object->kind == CKO_CERTIFICATE) {
        return (object->flags & OBJECT_FLAG_AUTHORITY) != 0u ? "authority"
               : (object->flags & OBJECT_FLAG_SIGNER) != 0u  ? "signer"
                                                             : "certificate";
    }
    return object->kind == CKO_PUBLIC_KEY ? "public" : "private";
}

// Kept objects to s_list; returns how many, or below 0 a status.
static int cred_job_list(void *argument)
{
    cred_job_t *job = argument;
    size_t size;
    int count = 0;
    if (tls_platform_init() != STATUS_OK) {
        return STATUS_ABSENT;
    }
    memset(s_list, 0, sizeof s_list);
    token_lock();
    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        const object_t *object = &token_objects()->items[i];
        if (object->kind == 0u || (object->flags & OBJECT_FLAG_TOKEN) == 0u) {
            continue;
        }
        cred_row_t *row = &s_list[count++];
        memcpy(row->label, object->label, object->label_length);
        row->kind = cred_kind(object);
        row->local = (object->flags & OBJECT_FLAG_LOCAL) != 0u;
        row->length = object->length;
        cred_describe(object, row);
    }
    token_space(&job->length, &size);
    token_unlock();
    return count;
}

static void cred_add_row(line_t *line, const cred_row_t *row)
{
    char digest[SHA256_TEXT_BYTES];
    sha256_text(row->digest, digest);
    line_add_text(line, "label", row->label);
    line_add_text(line, "kind", row->kind);
    line_add_u32(line, "bytes", (uint32_t)row->length);
    if (row->subject[0] != '\0') {
        line_add_text(line, "subject", row->subject);
        line_add_text(line, "issuer", row->issuer);
        line_add_text(line, "from", row->from);
        line_add_text(line, "until", row->until);
    } else {
        line_add_u32(line, "local", row->local);
    }
    if (strcmp(row->kind, "private") != 0) {
        line_add_text(line, "sha256", digest);
    }
}

void command_cred_list(const command_call_t *call, reply_t *reply)
{
    (void)call;
    int count = net_work_run(cred_job_list, &s_job);
    for (int i = 0; i < count; i++) {
        cred_add_row(reply_data(reply), &s_list[i]);
        reply_send(reply);
    }
    line_t *line = reply_ok(reply);
    line_add_u32(line, "rows", (uint32_t)(count > 0 ? count : 0));
    line_add_u32(line, "used", (uint32_t)s_job.length);
    line_add_u32(line, "size", OBJECT_SET_BYTES);
    reply_send(reply);
}

static int cred_job_erase(void *argument)
{
    cred_job_t *job = argument;
    return credentials_erase(job->label);
}

void command_cred_erase(const command_call_t *call, reply_t *reply)
{
    const argument_value_t *label = &call->values[ARG_CRED_ERASE_LABEL];
    s_job.label = label->present ? label->text : NULL;
    if (cred_run(cred_job_erase, reply)) {
        reply_finish(reply);
    }
}
