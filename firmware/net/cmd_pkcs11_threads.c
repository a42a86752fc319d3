// SPDX-License-Identifier: MIT
// The command pkcs11.threads: several tasks use the token at once, each in a session of its own.
#include "commands_table.h"
#include "console.h"
#include "net_crew.h"
#include "net_work.h"
#include "pkcs11.h"

#include <string.h>

enum { ROUNDS_MAX = 32, DIGEST_BYTES = 32, SIGNATURE_BYTES = 64, POINT_BYTES = 67, SLOT = 1 };

typedef struct {
    const char *work;
    size_t threads, rounds;
    CK_FUNCTION_LIST *cryptoki;
    CK_OBJECT_HANDLE private, public;
    int failed;                    // threads
    uint32_t done[NET_CREW_COUNT]; // rounds that were as they must be
    CK_BYTE random[NET_CREW_COUNT][ROUNDS_MAX][DIGEST_BYTES];
} threads_job_t;

static threads_job_t s_job;

static bool threads_random(threads_job_t *job, CK_SESSION_HANDLE session, size_t number,
                           size_t round)
{
    CK_BYTE *bytes = job->random[number][round];
    return job->cryptoki->C_GenerateRandom(session, bytes, DIGEST_BYTES) == CKR_OK;
}

// A signature of this thread's own digest, checked by the same session.
static bool threads_sign(threads_job_t *job, CK_SESSION_HANDLE session, size_t number, size_t round)
{
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    CK_BYTE digest[DIGEST_BYTES];
    CK_BYTE signature[SIGNATURE_BYTES];
    CK_ULONG length = sizeof signature;
    memset(digest, (int)(number * ROUNDS_MAX + round + 1u), sizeof digest);
    return job->cryptoki->C_SignInit(session, &mechanism, job->private) == CKR_OK &&
           job->cryptoki->C_Sign(session, digest, sizeof digest, signature, &length) == CKR_OK &&
           job->cryptoki->C_VerifyInit(session, &mechanism, job->public) == CKR_OK &&
           job->cryptoki->C_Verify(session, digest, sizeof digest, signature, length) == CKR_OK;
}

static bool threads_find(threads_job_t *job, CK_SESSION_HANDLE session, size_t number, size_t round)
{
    (void)number;
    (void)round;
    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
    CK_ATTRIBUTE template = {CKA_CLASS, &class, sizeof class};
    CK_OBJECT_HANDLE found[ROUNDS_MAX];
    CK_ULONG count = 0;
    bool seen = false;
    bool good = job->cryptoki->C_FindObjectsInit(session, &template, 1) == CKR_OK &&
                job->cryptoki->C_FindObjects(session, found, ROUNDS_MAX, &count) == CKR_OK &&
                job->cryptoki->C_FindObjectsFinal(session) == CKR_OK;
    for (CK_ULONG i = 0; i < count; i++) {
        seen = seen || found[i] == job->public;
    }
    return good && seen;
}

static bool threads_attribute(threads_job_t *job, CK_SESSION_HANDLE session, size_t number,
                              size_t round)
{
    (void)number;
    (void)round;
    CK_BYTE point[POINT_BYTES];
    CK_ATTRIBUTE attribute = {CKA_EC_POINT, point, sizeof point};
    return job->cryptoki->C_GetAttributeValue(session, job->public, &attribute, 1) == CKR_OK &&
           attribute.ulValueLen == sizeof point && point[0] == 0x04u;
}

typedef struct {
    const char *name;
    bool (*round)(threads_job_t *job, CK_SESSION_HANDLE session, size_t number, size_t round);
} threads_row_t;

static const threads_row_t s_rows[] = {
    {"random", threads_random},
    {"sign", threads_sign},
    {"find", threads_find},
    {"attribute", threads_attribute},
};

static int threads_member(void *argument, size_t number)
{
    threads_job_t *job = argument;
    const threads_row_t *row = s_rows;
    CK_SESSION_HANDLE session;
    while (strcmp(row->name, job->work) != 0) {
        row++;
    }
    if (job->cryptoki->C_OpenSession(SLOT, CKF_SERIAL_SESSION, NULL, NULL, &session) != CKR_OK) {
        return STATUS_RANGE;
    }
    for (size_t round = 0; round < job->rounds; round++) {
        job->done[number] += row->round(job, session, number, round);
    }
    (void)job->cryptoki->C_CloseSession(session);
    return job->done[number] == job->rounds ? STATUS_OK : STATUS_VALUE;
}

// The crew is waited for in the worker, whose priority it has.
static int threads_job(void *argument)
{
    threads_job_t *job = argument;
    job->failed = net_crew_run(job->threads, threads_member, job);
    return STATUS_OK;
}

// How many of the random blocks are equal to an earlier one.
static uint32_t threads_repeats(const threads_job_t *job)
{
    uint32_t repeats = 0;
    for (size_t i = 0; i < job->threads * job->rounds; i++) {
        for (size_t j = 0; j < i; j++) {
            repeats += memcmp(job->random[i / job->rounds][i % job->rounds],
                              job->random[j / job->rounds][j % job->rounds], DIGEST_BYTES) == 0;
        }
    }
    return repeats;
}

void command_pkcs11_threads(const command_call_t *call, reply_t *reply)
{
    memset(&s_job, 0, sizeof s_job);
    s_job.work = call->values[ARG_PKCS11_THREADS_WORK].text;
    s_job.threads = (size_t)call->values[ARG_PKCS11_THREADS_THREADS].number;
    s_job.rounds = (size_t)call->values[ARG_PKCS11_THREADS_ROUNDS].number;
    s_job.private = (CK_OBJECT_HANDLE)call->values[ARG_PKCS11_THREADS_PRIVATE].number;
    s_job.public = (CK_OBJECT_HANDLE)call->values[ARG_PKCS11_THREADS_PUBLIC].number;
    (void)C_GetFunctionList(&s_job.cryptoki);
    (void)net_work_run(threads_job, &s_job);
    line_t *line = reply_ok(reply);
    uint32_t done = 0;
    for (size_t i = 0; i < s_job.threads; i++) {
        done += s_job.done[i];
    }
    line_add_u32(line, "done", done);
    line_add_u32(line, "failed", (uint32_t)s_job.failed);
    line_add_u32(line, "repeats", strcmp(s_job.work, "random") == 0 ? threads_repeats(&s_job) : 0u);
    reply_send(reply);
}
