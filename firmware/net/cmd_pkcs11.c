// SPDX-License-Identifier: MIT
// Commands that call one function of PKCS #11 each, and say what it returned: the suite judges.
// They go by C_GetFunctionList, so that a vendor's token can stand behind it; they run in net.work.
#include "commands_table.h"
#include "console.h"
#include "hex.h"
#include "net_work.h"
#include "pkcs11.h"
#include "staging.h"

#include <string.h>

enum { DATA_BYTES = 128, BUFFER_BYTES = 512, OBJECTS_MAX = 16, PAIR = 2 };

// What a job gets and gives. Of one command at a time: the console runs one.
typedef struct {
    const command_call_t *call;
    CK_FUNCTION_LIST *cryptoki;
    CK_RV result;
    CK_ULONG numbers[OBJECTS_MAX]; // what the function gave: handles, sizes, flags
    CK_ULONG count;
    CK_ULONG length; // of bytes; CK_UNAVAILABLE_INFORMATION where the function says so
    CK_BYTE bytes[BUFFER_BYTES];
    CK_BYTE data[DATA_BYTES]; // argument `data`
    CK_ULONG data_length;
    CK_BYTE signature[DATA_BYTES]; // argument `signature`
    CK_ULONG signature_length;
} pkcs11_job_t;

static pkcs11_job_t s_job;

static CK_ULONG pkcs11_number(const pkcs11_job_t *job, size_t argument)
{
    return (CK_ULONG)job->call->values[argument].number;
}

static bool pkcs11_is(const pkcs11_job_t *job, size_t argument, const char *word)
{
    return strcmp(job->call->values[argument].text, word) == 0;
}

static CK_ULONG pkcs11_or(const pkcs11_job_t *job, size_t argument, CK_ULONG otherwise)
{
    return job->call->values[argument].present ? pkcs11_number(job, argument) : otherwise;
}

// Runs a job and begins its answer, `ok rv=…`.
static line_t *pkcs11_run(int (*run)(void *), const command_call_t *call, reply_t *reply)
{
    s_job.call = call;
    s_job.count = 0;
    s_job.length = 0;
    s_job.result = C_GetFunctionList(&s_job.cryptoki);
    if (s_job.result == CKR_OK) {
        (void)net_work_run(run, &s_job);
    }
    line_t *line = reply_ok(reply);
    line_add_u32(line, "rv", s_job.result);
    return line;
}

// Takes bytes from an argument; false after an error was answered.
static bool pkcs11_take(const command_call_t *call, size_t argument, CK_BYTE *bytes,
                        CK_ULONG *length, reply_t *reply)
{
    int count = hex_parse(call->values[argument].text, bytes, DATA_BYTES);
    *length = count > 0 ? (CK_ULONG)count : 0u;
    if (count < 0) {
        reply_error(reply, status_word((status_t)count), "bytes are pairs of hexadecimal digits");
    }
    return count >= 0;
}

// Adds what the function wrote to its buffer: `length` as it said, `data` what is there.
static void pkcs11_add_bytes(line_t *line)
{
    char text[HEX_TEXT_BYTES];
    bool known = s_job.length != CK_UNAVAILABLE_INFORMATION;
    line_add_i32(line, "length", known ? (int32_t)s_job.length : -1);
    if (s_job.result == CKR_OK && known && s_job.length <= HEX_MOST_BYTES && s_job.count != 0u) {
        hex_format(s_job.bytes, s_job.length, text);
        line_add_text(line, "data", text);
    }
}

// ---- start, slot, sessions ---------------------------------------------------------------------

static int pkcs11_job_call(void *argument)
{
    pkcs11_job_t *job = argument;
    CK_FUNCTION_LIST *list = NULL;
    if (pkcs11_is(job, ARG_PKCS11_CALL_CALL, "initialize")) {
        job->result = job->cryptoki->C_Initialize(NULL);
    } else if (pkcs11_is(job, ARG_PKCS11_CALL_CALL, "finalize")) {
        job->result = job->cryptoki->C_Finalize(NULL);
    } else if (pkcs11_is(job, ARG_PKCS11_CALL_CALL, "finalize.argument")) {
        job->result = job->cryptoki->C_Finalize(job);
    } else if (pkcs11_is(job, ARG_PKCS11_CALL_CALL, "functions.null")) {
        job->result = job->cryptoki->C_GetFunctionList(NULL);
    } else {
        job->result = job->cryptoki->C_GetFunctionList(&list);
    }
    job->numbers[0] = list != NULL ? list->version.major : 0u;
    job->numbers[1] = list != NULL ? list->version.minor : 0u;
    return STATUS_OK;
}

void command_pkcs11_call(const command_call_t *call, reply_t *reply)
{
    line_t *line = pkcs11_run(pkcs11_job_call, call, reply);
    line_add_u32(line, "major", s_job.numbers[0]);
    line_add_u32(line, "minor", s_job.numbers[1]);
    reply_send(reply);
}

static int pkcs11_job_slots(void *argument)
{
    pkcs11_job_t *job = argument;
    const argument_value_t *room = &job->call->values[ARG_PKCS11_SLOTS_ROOM];
    job->count = (CK_ULONG)room->number;
    job->numbers[0] = 0;
    job->result =
        job->cryptoki->C_GetSlotList(CK_TRUE, room->present ? job->numbers : NULL, &job->count);
    return STATUS_OK;
}

void command_pkcs11_slots(const command_call_t *call, reply_t *reply)
{
    line_t *line = pkcs11_run(pkcs11_job_slots, call, reply);
    line_add_u32(line, "count", s_job.count);
    line_add_u32(line, "slot", s_job.numbers[0]);
    reply_send(reply);
}

static CK_TOKEN_INFO s_token;

static int pkcs11_job_token(void *argument)
{
    pkcs11_job_t *job = argument;
    memset(&s_token, 0, sizeof s_token);
    job->result =
        job->cryptoki->C_GetTokenInfo(pkcs11_number(job, ARG_PKCS11_TOKEN_SLOT), &s_token);
    return STATUS_OK;
}

static void pkcs11_add_padded(line_t *line, const char *key, const CK_UTF8CHAR *text, size_t size)
{
    char copy[sizeof s_token.label + 1];
    while (size > 0u && text[size - 1u] == ' ') {
        size--;
    }
    memcpy(copy, text, size);
    copy[size] = '\0';
    line_add_text(line, key, copy);
}

void command_pkcs11_token(const command_call_t *call, reply_t *reply)
{
    line_t *line = pkcs11_run(pkcs11_job_token, call, reply);
    pkcs11_add_padded(line, "label", s_token.label, sizeof s_token.label);
    pkcs11_add_padded(line, "manufacturer", s_token.manufacturerID, sizeof s_token.manufacturerID);
    pkcs11_add_padded(line, "model", s_token.model, sizeof s_token.model);
    pkcs11_add_padded(line, "serial", s_token.serialNumber, sizeof s_token.serialNumber);
    line_add_u32(line, "flags", s_token.flags);
    line_add_u32(line, "sessions", s_token.ulSessionCount);
    line_add_u32(line, "sessions_max", s_token.ulMaxSessionCount);
    line_add_u32(line, "memory", s_token.ulTotalPublicMemory);
    line_add_u32(line, "memory_free", s_token.ulFreePublicMemory);
    reply_send(reply);
}

static int pkcs11_job_mechanism(void *argument)
{
    pkcs11_job_t *job = argument;
    CK_MECHANISM_INFO info = {0, 0, 0};
    job->result =
        job->cryptoki->C_GetMechanismInfo(pkcs11_number(job, ARG_PKCS11_MECHANISM_SLOT),
                                          pkcs11_number(job, ARG_PKCS11_MECHANISM_TYPE), &info);
    job->numbers[0] = info.ulMinKeySize;
    job->numbers[1] = info.ulMaxKeySize;
    job->numbers[PAIR] = info.flags;
    return STATUS_OK;
}

void command_pkcs11_mechanism(const command_call_t *call, reply_t *reply)
{
    line_t *line = pkcs11_run(pkcs11_job_mechanism, call, reply);
    line_add_u32(line, "min", s_job.numbers[0]);
    line_add_u32(line, "max", s_job.numbers[1]);
    line_add_u32(line, "flags", s_job.numbers[PAIR]);
    reply_send(reply);
}

static int pkcs11_job_session(void *argument)
{
    pkcs11_job_t *job = argument;
    CK_SESSION_HANDLE session = pkcs11_number(job, ARG_PKCS11_SESSION_SESSION);
    CK_UTF8CHAR pin[] = {'0', '0', '0', '0'};
    if (pkcs11_is(job, ARG_PKCS11_SESSION_CALL, "open")) {
        job->result = job->cryptoki->C_OpenSession(
            pkcs11_number(job, ARG_PKCS11_SESSION_SLOT),
            pkcs11_or(job, ARG_PKCS11_SESSION_FLAGS, CKF_SERIAL_SESSION | CKF_RW_SESSION), NULL,
            NULL, &session);
    } else if (pkcs11_is(job, ARG_PKCS11_SESSION_CALL, "open.null")) {
        job->result = job->cryptoki->C_OpenSession(pkcs11_number(job, ARG_PKCS11_SESSION_SLOT),
                                                   CKF_SERIAL_SESSION, NULL, NULL, NULL);
    } else if (pkcs11_is(job, ARG_PKCS11_SESSION_CALL, "login")) {
        job->result = job->cryptoki->C_Login(session, CKU_USER, pin, sizeof pin);
    } else {
        job->result = job->cryptoki->C_CloseSession(session);
    }
    job->numbers[0] = session;
    return STATUS_OK;
}

void command_pkcs11_session(const command_call_t *call, reply_t *reply)
{
    line_add_u32(pkcs11_run(pkcs11_job_session, call, reply), "session", s_job.numbers[0]);
    reply_send(reply);
}

// ---- digests and random numbers ----------------------------------------------------------------

static int pkcs11_job_digest(void *argument)
{
    pkcs11_job_t *job = argument;
    CK_SESSION_HANDLE session = pkcs11_number(job, ARG_PKCS11_DIGEST_SESSION);
    CK_MECHANISM mechanism = {pkcs11_or(job, ARG_PKCS11_DIGEST_MECHANISM, CKM_SHA256), NULL, 0};
    job->length = pkcs11_or(job, ARG_PKCS11_DIGEST_ROOM, BUFFER_BYTES);
    bool given = job->call->values[ARG_PKCS11_DIGEST_DATA].present;
    if (pkcs11_is(job, ARG_PKCS11_DIGEST_CALL, "init")) {
        job->result = job->cryptoki->C_DigestInit(session, &mechanism);
    } else if (pkcs11_is(job, ARG_PKCS11_DIGEST_CALL, "init.null")) {
        job->result = job->cryptoki->C_DigestInit(session, NULL);
    } else if (pkcs11_is(job, ARG_PKCS11_DIGEST_CALL, "update")) {
        job->result =
            job->cryptoki->C_DigestUpdate(session, given ? job->data : NULL, job->data_length);
    } else {
        job->count = job->length;
        job->result = job->cryptoki->C_DigestFinal(session, job->length != 0u ? job->bytes : NULL,
                                                   &job->length);
    }
    return STATUS_OK;
}

void command_pkcs11_digest(const command_call_t *call, reply_t *reply)
{
    if (pkcs11_take(call, ARG_PKCS11_DIGEST_DATA, s_job.data, &s_job.data_length, reply)) {
        pkcs11_add_bytes(pkcs11_run(pkcs11_job_digest, call, reply));
        reply_send(reply);
    }
}

static int pkcs11_job_random(void *argument)
{
    pkcs11_job_t *job = argument;
    job->length = pkcs11_number(job, ARG_PKCS11_RANDOM_COUNT);
    job->count = job->length;
    job->result =
        job->cryptoki->C_GenerateRandom(pkcs11_number(job, ARG_PKCS11_RANDOM_SESSION),
                                        job->length != 0u ? job->bytes : NULL, job->length);
    return STATUS_OK;
}

void command_pkcs11_random(const command_call_t *call, reply_t *reply)
{
    pkcs11_add_bytes(pkcs11_run(pkcs11_job_random, call, reply));
    reply_send(reply);
}

// ---- objects -----------------------------------------------------------------------------------

static CK_BYTE s_p256[] = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};

static CK_UTF8CHAR *pkcs11_text(const pkcs11_job_t *job, size_t argument)
{
    return (CK_UTF8CHAR *)(uintptr_t)job->call->values[argument].text;
}

static CK_ULONG pkcs11_text_length(const pkcs11_job_t *job, size_t argument)
{
    return strlen(job->call->values[argument].text);
}

static int pkcs11_job_keypair(void *argument)
{
    pkcs11_job_t *job = argument;
    CK_MECHANISM mechanism = {pkcs11_or(job, ARG_PKCS11_KEYPAIR_MECHANISM, CKM_EC_KEY_PAIR_GEN),
                              NULL, 0};
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL kept = (CK_BBOOL)(pkcs11_number(job, ARG_PKCS11_KEYPAIR_TOKEN) != 0u);
    CK_KEY_TYPE type = CKK_EC;
    CK_ATTRIBUTE label = {CKA_LABEL, pkcs11_text(job, ARG_PKCS11_KEYPAIR_LABEL),
                          pkcs11_text_length(job, ARG_PKCS11_KEYPAIR_LABEL)};
    CK_ATTRIBUTE token = {CKA_TOKEN, &kept, sizeof kept};
    CK_ATTRIBUTE key = {CKA_KEY_TYPE, &type, sizeof type};
    CK_ATTRIBUTE public[] = {
        key, {CKA_VERIFY, &yes, sizeof yes}, {CKA_EC_PARAMS, s_p256, sizeof s_p256}, label, token};
    CK_ATTRIBUTE private[] = {key, {CKA_SIGN, &yes, sizeof yes}, label, token};
    job->result = job->cryptoki->C_GenerateKeyPair(
        pkcs11_number(job, ARG_PKCS11_KEYPAIR_SESSION), &mechanism, public,
        sizeof public / sizeof public[0], private, sizeof private / sizeof private[0],
        &job -> numbers[0], &job -> numbers[1]);
    return STATUS_OK;
}

void command_pkcs11_keypair(const command_call_t *call, reply_t *reply)
{
    s_job.numbers[0] = s_job.numbers[1] = CK_INVALID_HANDLE;
    line_t *line = pkcs11_run(pkcs11_job_keypair, call, reply);
    line_add_u32(line, "public", s_job.numbers[0]);
    line_add_u32(line, "private", s_job.numbers[1]);
    reply_send(reply);
}

static CK_OBJECT_CLASS pkcs11_class(const char *word)
{
    return strcmp(word, "certificate") == 0 ? CKO_CERTIFICATE
           : strcmp(word, "public") == 0    ? CKO_PUBLIC_KEY
                                            : CKO_PRIVATE_KEY;
}

// A certificate's value is what cred.certificate staged; a key's comes with the command.
static int pkcs11_job_create(void *argument)
{
    pkcs11_job_t *job = argument;
    CK_OBJECT_CLASS class = pkcs11_class(job->call->values[ARG_PKCS11_CREATE_KIND].text);
    CK_BBOOL kept = (CK_BBOOL)(pkcs11_number(job, ARG_PKCS11_CREATE_TOKEN) != 0u);
    CK_KEY_TYPE type = CKK_EC;
    size_t staged;
    CK_BYTE_PTR certificate = (CK_BYTE_PTR)(uintptr_t)staging_bytes(&staged);
    bool is_certificate = class == CKO_CERTIFICATE;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof class},
        {CKA_TOKEN, &kept, sizeof kept},
        {CKA_LABEL, pkcs11_text(job, ARG_PKCS11_CREATE_LABEL),
         pkcs11_text_length(job, ARG_PKCS11_CREATE_LABEL)},
        {class == CKO_PUBLIC_KEY ? CKA_EC_POINT : CKA_VALUE,
         is_certificate ? certificate : job->data, is_certificate ? staged : job->data_length},
        {CKA_KEY_TYPE, &type, sizeof type},
        {CKA_EC_PARAMS, s_p256, sizeof s_p256},
    };
    CK_ULONG count = sizeof template / sizeof template[0];
    job->result =
        job->cryptoki->C_CreateObject(pkcs11_number(job, ARG_PKCS11_CREATE_SESSION), template,
                                      is_certificate ? count - PAIR : count, &job->numbers[0]);
    memset(job->data, 0, sizeof job->data);
    return STATUS_OK;
}

void command_pkcs11_create(const command_call_t *call, reply_t *reply)
{
    s_job.numbers[0] = CK_INVALID_HANDLE;
    if (pkcs11_take(call, ARG_PKCS11_CREATE_DATA, s_job.data, &s_job.data_length, reply)) {
        line_add_u32(pkcs11_run(pkcs11_job_create, call, reply), "object", s_job.numbers[0]);
        reply_send(reply);
    }
}

static int pkcs11_job_destroy(void *argument)
{
    pkcs11_job_t *job = argument;
    job->result = job->cryptoki->C_DestroyObject(pkcs11_number(job, ARG_PKCS11_DESTROY_SESSION),
                                                 pkcs11_number(job, ARG_PKCS11_DESTROY_OBJECT));
    return STATUS_OK;
}

void command_pkcs11_destroy(const command_call_t *call, reply_t *reply)
{
    (void)pkcs11_run(pkcs11_job_destroy, call, reply);
    reply_send(reply);
}

static int pkcs11_job_attribute(void *argument)
{
    pkcs11_job_t *job = argument;
    CK_ULONG room = pkcs11_or(job, ARG_PKCS11_ATTRIBUTE_ROOM, BUFFER_BYTES);
    CK_ATTRIBUTE attribute = {pkcs11_number(job, ARG_PKCS11_ATTRIBUTE_TYPE),
                              room != 0u ? job->bytes : NULL, room};
    job->result = job->cryptoki->C_GetAttributeValue(
        pkcs11_number(job, ARG_PKCS11_ATTRIBUTE_SESSION),
        pkcs11_number(job, ARG_PKCS11_ATTRIBUTE_OBJECT), &attribute, 1);
    job->length = attribute.ulValueLen;
    job->count = room;
    return STATUS_OK;
}

void command_pkcs11_attribute(const command_call_t *call, reply_t *reply)
{
    pkcs11_add_bytes(pkcs11_run(pkcs11_job_attribute, call, reply));
    reply_send(reply);
}

static int pkcs11_job_find(void *argument)
{
    pkcs11_job_t *job = argument;
    CK_SESSION_HANDLE session = pkcs11_number(job, ARG_PKCS11_FIND_SESSION);
    const argument_value_t *values = job->call->values;
    CK_OBJECT_CLASS class = pkcs11_class(values[ARG_PKCS11_FIND_KIND].text);
    CK_ATTRIBUTE template[PAIR];
    CK_ULONG count = 0;
    if (values[ARG_PKCS11_FIND_KIND].present) {
        template[count++] = (CK_ATTRIBUTE){CKA_CLASS, &class, sizeof class};
    }
    if (values[ARG_PKCS11_FIND_LABEL].present) {
        template[count++] = (CK_ATTRIBUTE){CKA_LABEL, pkcs11_text(job, ARG_PKCS11_FIND_LABEL),
                                           pkcs11_text_length(job, ARG_PKCS11_FIND_LABEL)};
    }
    if (pkcs11_is(job, ARG_PKCS11_FIND_CALL, "init")) {
        job->result = job->cryptoki->C_FindObjectsInit(session, template, count);
    } else if (pkcs11_is(job, ARG_PKCS11_FIND_CALL, "next")) {
        job->result = job->cryptoki->C_FindObjects(
            session, job->numbers, pkcs11_or(job, ARG_PKCS11_FIND_ROOM, 1), &job->count);
    } else {
        job->result = job->cryptoki->C_FindObjectsFinal(session);
    }
    return STATUS_OK;
}

void command_pkcs11_find(const command_call_t *call, reply_t *reply)
{
    line_t *line = pkcs11_run(pkcs11_job_find, call, reply);
    line_add_u32(line, "count", s_job.count);
    for (CK_ULONG i = 0; i < s_job.count; i++) {
        line_add_u32(line, "object", s_job.numbers[i]);
    }
    reply_send(reply);
}

// ---- signatures --------------------------------------------------------------------------------

static int pkcs11_job_sign(void *argument)
{
    pkcs11_job_t *job = argument;
    CK_SESSION_HANDLE session = pkcs11_number(job, ARG_PKCS11_SIGN_SESSION);
    CK_MECHANISM mechanism = {pkcs11_or(job, ARG_PKCS11_SIGN_MECHANISM, CKM_ECDSA), NULL, 0};
    bool given = job->call->values[ARG_PKCS11_SIGN_DATA].present;
    if (pkcs11_is(job, ARG_PKCS11_SIGN_CALL, "init")) {
        job->result = job->cryptoki->C_SignInit(session, &mechanism,
                                                pkcs11_number(job, ARG_PKCS11_SIGN_OBJECT));
        return STATUS_OK;
    }
    job->length = pkcs11_or(job, ARG_PKCS11_SIGN_ROOM, BUFFER_BYTES);
    job->count = job->length;
    job->result = job->cryptoki->C_Sign(session, given ? job->data : NULL, job->data_length,
                                        job->length != 0u ? job->bytes : NULL, &job->length);
    return STATUS_OK;
}

void command_pkcs11_sign(const command_call_t *call, reply_t *reply)
{
    if (pkcs11_take(call, ARG_PKCS11_SIGN_DATA, s_job.data, &s_job.data_length, reply)) {
        pkcs11_add_bytes(pkcs11_run(pkcs11_job_sign, call, reply));
        reply_send(reply);
    }
}

static int pkcs11_job_verify(void *argument)
{
    pkcs11_job_t *job = argument;
    CK_SESSION_HANDLE session = pkcs11_number(job, ARG_PKCS11_VERIFY_SESSION);
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    if (pkcs11_is(job, ARG_PKCS11_VERIFY_CALL, "init")) {
        job->result = job->cryptoki->C_VerifyInit(session, &mechanism,
                                                  pkcs11_number(job, ARG_PKCS11_VERIFY_OBJECT));
    } else {
        job->result = job->cryptoki->C_Verify(session, job->data, job->data_length, job->signature,
                                              job->signature_length);
    }
    return STATUS_OK;
}

void command_pkcs11_verify(const command_call_t *call, reply_t *reply)
{
    if (pkcs11_take(call, ARG_PKCS11_VERIFY_DATA, s_job.data, &s_job.data_length, reply) &&
        pkcs11_take(call, ARG_PKCS11_VERIFY_SIGNATURE, s_job.signature, &s_job.signature_length,
                    reply)) {
        (void)pkcs11_run(pkcs11_job_verify, call, reply);
        reply_send(reply);
    }
}
