// SPDX-License-Identifier: MIT
// The document of a job, and the answer to an update. The first byte is the file that is wanted.
#include "fuzz.h"

#include "ota_job.h"

static int read_into(uint8_t before, const uint8_t *bytes, size_t length, ota_job_t *job,
                     ota_fault_t *fault)
{
    memset(job, before, sizeof *job);
    memset(fault, before, sizeof *fault);
    return ota_job_read(bytes + 1, length - 1u, bytes[0] % 3u, job, fault);
}

static void check_texts(const ota_job_t *job)
{
    FUZZ_CHECK(fuzz_ends(job->id, sizeof job->id));
    FUZZ_CHECK(fuzz_ends(job->stream, sizeof job->stream));
    FUZZ_CHECK(fuzz_ends(job->url, sizeof job->url));
    FUZZ_CHECK(fuzz_ends(job->path, sizeof job->path));
    FUZZ_CHECK(fuzz_ends(job->certfile, sizeof job->certfile));
    FUZZ_CHECK(strpbrk(job->id, "/+#") == NULL); // it becomes a part of topics
}

static void check_job(const ota_job_t *job, uint32_t wanted)
{
    bool http = job->protocol == OTA_OVER_HTTP;
    FUZZ_CHECK(job->id[0] != '\0' && job->path[0] != '\0' && job->certfile[0] != '\0');
    FUZZ_CHECK(job->bytes > 0u && job->file == wanted);
    FUZZ_CHECK(job->signature_bytes > 0u && job->signature_bytes <= sizeof job->signature);
    FUZZ_CHECK((http ? job->url : job->stream)[0] != '\0' && strpbrk(job->stream, "/+#") == NULL);
    fuzz_seen(http ? "http" : "mqtt");
}

static void read_answer(const uint8_t *bytes, size_t length)
{
    ota_answer_t answer;
    memset(&answer, 0xA5, sizeof answer);
    ota_job_read_answer(bytes, length, &answer);
    FUZZ_CHECK(fuzz_ends(answer.code, sizeof answer.code));
    FUZZ_CHECK(fuzz_ends(answer.token, sizeof answer.token));
    if (answer.version != 0u && answer.code[0] != '\0' && answer.token[0] != '\0') {
        fuzz_seen("answer");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static ota_job_t s_job, s_again;
    ota_fault_t fault, other;
    if (length == 0u) {
        return 0;
    }
    int outcome = read_into(0x00, bytes, length, &s_job, &fault);
    // What it says depends on nothing but the text.
    FUZZ_CHECK(read_into(0xFF, bytes, length, &s_again, &other) == outcome);
    FUZZ_CHECK(memcmp(&s_job, &s_again, sizeof s_job) == 0);
    FUZZ_CHECK(fault.field == other.field && fault.wrong == other.wrong);
    FUZZ_CHECK((outcome == STATUS_VALUE) == (fault.field != OTA_FIELD_NONE));
    check_texts(&s_job);
    if (outcome == 1) {
        check_job(&s_job, bytes[0] % 3u);
    } else if (outcome == STATUS_VALUE) {
        fuzz_seen(ota_field_word(fault.field));
        fuzz_seen(ota_wrong_word(fault.wrong));
    } else {
        FUZZ_CHECK(outcome == 0 || outcome == STATUS_SYNTAX);
        fuzz_seen(outcome == 0 ? "none" : "syntax");
    }
    read_answer(bytes + 1, length - 1u);
    return 0;
}
