// SPDX-License-Identifier: MIT
#include "ota_job.h"

#include "base64.h"
#include "json.h"

#include <string.h>

static const char *const s_fields[OTA_FIELDS] = {
    "none",        "jobId",     "versionNumber",    "jobDocument",
    "afr_ota",     "protocols", "streamname",       "files",
    "file",        "filepath",  "filesize",         "fileid",
    "fileType",    "certfile",  "sig-sha256-ecdsa", "update_data_url",
    "auth_scheme",
};

const char *ota_field_word(ota_field_t field)
{
    return field < OTA_FIELDS ? s_fields[field] : "none";
}

const char *ota_wrong_word(ota_wrong_t wrong)
{
    static const char *const s_words[] = {"good", "missing", "wrong", "long"};
    return s_words[wrong];
}

static bool job_fault(ota_fault_t *fault, ota_field_t field, ota_wrong_t wrong)
{
    *fault = (ota_fault_t){field, wrong};
    return false;
}

// ---- members -----------------------------------------------------------------------------------

// A member that must be there and begin so: '{', '[' or '"'.
static bool job_member(json_t object, ota_field_t field, char begin, json_t *value,
                       ota_fault_t *fault)
{
    if (!json_member(object, s_fields[field], value)) {
        return job_fault(fault, field, OTA_FIELD_MISSING);
    }
    return value->text[0] == begin || job_fault(fault, field, OTA_FIELD_WRONG);
}

// A text of at least one character.
static bool job_text(json_t object, ota_field_t field, char *out, size_t size, ota_fault_t *fault)
{
    json_t value;
    if (!job_member(object, field, '"', &value, fault)) {
        return false;
    }
    int length = json_string(value, out, size);
    if (length > 0) {
        return true;
    }
    out[0] = '\0';
    return job_fault(fault, field, length == STATUS_SPACE ? OTA_FIELD_LONG : OTA_FIELD_WRONG);
}

static bool job_number(json_t object, ota_field_t field, uint32_t most, uint32_t *number,
                       ota_fault_t *fault)
{
    json_t value;
    if (!json_member(object, s_fields[field], &value)) {
        return job_fault(fault, field, OTA_FIELD_MISSING);
    }
    return (json_u32(value, number) && *number <= most) || job_fault(fault, field, OTA_FIELD_WRONG);
}

// ---- a file ------------------------------------------------------------------------------------

static bool job_signature(json_t file, ota_job_t *job, ota_fault_t *fault)
{
    json_t value;
    if (!job_member(file, OTA_FIELD_SIGNATURE, '"', &value, fault)) {
        return false;
    }
    int32_t count =
        base64_decode(value.text + 1, value.length - 2u, job->signature, sizeof job->signature);
    job->signature_bytes = count > 0 ? (size_t)count : 0u;
    if (count > 0) {
        return true;
    }
    return job_fault(fault, OTA_FIELD_SIGNATURE,
                     count == STATUS_SPACE ? OTA_FIELD_LONG : OTA_FIELD_WRONG);
}

static bool job_place(json_t file, ota_job_t *job, ota_fault_t *fault)
{
    char scheme[32];
    if (job->protocol == OTA_OVER_MQTT) {
        return true;
    }
    if (!job_text(file, OTA_FIELD_URL, job->url, sizeof job->url, fault) ||
        !job_text(file, OTA_FIELD_SCHEME, scheme, sizeof scheme, fault)) {
        return false;
    }
    return strcmp(scheme, "aws.s3.presigned") == 0 ||
           job_fault(fault, OTA_FIELD_SCHEME, OTA_FIELD_WRONG);
}

// fileType says what the file is; 0, an image, if it is left out.
static bool job_type(json_t file, ota_fault_t *fault)
{
    json_t value;
    uint32_t type;
    return !json_member(file, s_fields[OTA_FIELD_TYPE], &value) ||
           job_number(file, OTA_FIELD_TYPE, 0, &type, fault);
}

static bool job_read_file(json_t file, ota_job_t *job, ota_fault_t *fault)
{
    if (!job_text(file, OTA_FIELD_PATH, job->path, sizeof job->path, fault) ||
        !job_number(file, OTA_FIELD_SIZE, UINT32_MAX, &job->bytes, fault) ||
        !job_number(file, OTA_FIELD_ID, UINT8_MAX, &job->file, fault) || !job_type(file, fault)) {
        return false;
    }
    if (job->bytes == 0u) {
        return job_fault(fault, OTA_FIELD_SIZE, OTA_FIELD_WRONG);
    }
    return job_text(file, OTA_FIELD_CERTFILE, job->certfile, sizeof job->certfile, fault) &&
           job_signature(file, job, fault) && job_place(file, job, fault);
}

// Whether an element of `files` has this id: what it is read for is decided before the rest of it.
static bool job_file_is(json_t file, uint32_t wanted)
{
    json_t value;
    uint32_t id;
    return json_member(file, s_fields[OTA_FIELD_ID], &value) && json_u32(value, &id) &&
           id == wanted;
}

// Every file must be good; the wanted one is read last, so that it is what stays in *job.
static bool job_read_files(json_t files, uint32_t wanted, ota_job_t *job, ota_fault_t *fault)
{
    json_t key, file = {NULL, 0}, taken = {NULL, 0};
    size_t count = 0;
    while (json_next(files, &key, &file)) {
        if (++count > OTA_FILES_MOST || file.text[0] != '{') {
            return job_fault(fault, OTA_FIELD_FILES, OTA_FIELD_WRONG);
        }
        if (!job_read_file(file, job, fault)) {
            return false;
        }
        if (job_file_is(file, wanted)) {
            if (taken.length > 0u) {
                return job_fault(fault, OTA_FIELD_FILE, OTA_FIELD_WRONG);
            }
            taken = file;
        }
    }
    if (count == 0u) {
        return job_fault(fault, OTA_FIELD_FILES, OTA_FIELD_WRONG);
    }
    if (taken.length == 0u) {
        return job_fault(fault, OTA_FIELD_FILE, OTA_FIELD_MISSING);
    }
    return job_read_file(taken, job, fault);
}

// ---- the document ------------------------------------------------------------------------------

// The first protocol that this agent speaks.
static bool job_protocol(json_t ota, ota_job_t *job, ota_fault_t *fault)
{
    json_t list, key, word = {NULL, 0};
    char text[8];
    if (!job_member(ota, OTA_FIELD_PROTOCOLS, '[', &list, fault)) {
        return false;
    }
    while (json_next(list, &key, &word)) {
        if (json_string(word, text, sizeof text) < 0) {
            continue; // one that we do not know
        }
        bool http = strcmp(text, "HTTP") == 0;
        if (http || strcmp(text, "MQTT") == 0) {
            job->protocol = http ? OTA_OVER_HTTP : OTA_OVER_MQTT;
            return true;
        }
    }
    return job_fault(fault, OTA_FIELD_PROTOCOLS, OTA_FIELD_WRONG);
}

// Stream names and job ids are parts of topics.
static bool job_is_name(const char *name)
{
    static const char s_allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789_-";
    return name[0] != '\0' && name[strspn(name, s_allowed)] == '\0';
}

static bool job_stream(json_t ota, ota_job_t *job, ota_fault_t *fault)
{
    if (job->protocol != OTA_OVER_MQTT) {
        return true;
    }
    return job_text(ota, OTA_FIELD_STREAM, job->stream, sizeof job->stream, fault) &&
           (job_is_name(job->stream) || job_fault(fault, OTA_FIELD_STREAM, OTA_FIELD_WRONG));
}

static bool job_read_document(json_t execution, uint32_t wanted, ota_job_t *job, ota_fault_t *fault)
{
    json_t document, ota, files;
    return job_member(execution, OTA_FIELD_DOCUMENT, '{', &document, fault) &&
           job_member(document, OTA_FIELD_AFR_OTA, '{', &ota, fault) &&
           job_protocol(ota, job, fault) && job_stream(ota, job, fault) &&
           job_member(ota, OTA_FIELD_FILES, '[', &files, fault) &&
           job_read_files(files, wanted, job, fault);
}

// ---- the execution -----------------------------------------------------------------------------

static bool job_read_head(json_t execution, ota_job_t *job, ota_fault_t *fault)
{
    json_t value, detail;
    char word[16];
    if (!job_text(execution, OTA_FIELD_JOB_ID, job->id, sizeof job->id, fault)) {
        return false;
    }
    if (!job_is_name(job->id)) {
        job->id[0] = '\0';
        return job_fault(fault, OTA_FIELD_JOB_ID, OTA_FIELD_WRONG);
    }
    job->in_progress = json_member(execution, "status", &value) &&
                       json_string(value, word, sizeof word) > 0 &&
                       strcmp(word, "IN_PROGRESS") == 0;
    job->self_test =
        json_member(execution, "statusDetails", &value) && json_member(value, "self_test", &detail);
    return job_number(execution, OTA_FIELD_VERSION, UINT32_MAX, &job->version, fault);
}

int ota_job_read(const void *text, size_t length, uint32_t wanted_file, ota_job_t *job,
                 ota_fault_t *fault)
{
    json_t message, execution, key, first = {NULL, 0};
    memset(job, 0, sizeof *job);
    *fault = (ota_fault_t){OTA_FIELD_NONE, OTA_FIELD_GOOD};
    if (json_read(text, length, &message) != STATUS_OK) {
        return STATUS_SYNTAX;
    }
    if (!json_member(message, "execution", &execution) || execution.text[0] != '{' ||
        !json_next(execution, &key, &first)) {
        return 0;
    }
    bool good = job_read_head(execution, job, fault) &&
                job_read_document(execution, wanted_file, job, fault);
    return good ? 1 : STATUS_VALUE;
}

static void job_optional_text(json_t object, const char *key, char *out, size_t size)
{
    json_t value;
    if (!json_member(object, key, &value) || json_string(value, out, size) < 0) {
        out[0] = '\0';
    }
}

void ota_job_read_answer(const void *text, size_t length, ota_answer_t *answer)
{
    json_t message, state, value;
    memset(answer, 0, sizeof *answer);
    if (json_read(text, length, &message) != STATUS_OK) {
        return;
    }
    if (json_member(message, "executionState", &state) &&
        json_member(state, "versionNumber", &value) && !json_u32(value, &answer->version)) {
        answer->version = 0;
    }
    job_optional_text(message, "code", answer->code, sizeof answer->code);
    job_optional_text(message, "clientToken", answer->token, sizeof answer->token);
}
