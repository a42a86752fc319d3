// SPDX-License-Identifier: MIT
// Reads what the Jobs service says of a job: its execution, and the afr_ota document in it. Pure.
//
// A document carries one file for each slot: fileid 0 is linked for slot A, 1 for slot B. The
// reader looks at all of them, and takes the one that is wanted.
#ifndef OTA_JOB_H
#define OTA_JOB_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OTA_JOB_ID_BYTES = 65, // all with NUL
    OTA_NAME_BYTES = 129,
    OTA_URL_BYTES = 2049,
    OTA_SIGNATURE_BYTES = 80, // ECDSA over P-256 in DER has at most 72
    OTA_FILES_MOST = 2,
};

typedef enum { OTA_OVER_MQTT, OTA_OVER_HTTP } ota_protocol_t;

typedef struct {
    char id[OTA_JOB_ID_BYTES];
    uint32_t version; // versionNumber of the execution
    bool in_progress;
    bool self_test; // statusDetails has a self_test: the image was received before
    ota_protocol_t protocol;
    char stream[OTA_NAME_BYTES]; // over MQTT
    char url[OTA_URL_BYTES];     // over HTTP
    char path[OTA_NAME_BYTES];
    uint32_t bytes;
    uint32_t file;
    char certfile[OTA_NAME_BYTES];
    size_t signature_bytes;
    uint8_t signature[OTA_SIGNATURE_BYTES];
} ota_job_t;

// What of a document is missing or wrong.
typedef enum {
    OTA_FIELD_NONE,
    OTA_FIELD_JOB_ID,
    OTA_FIELD_VERSION,
    OTA_FIELD_DOCUMENT,
    OTA_FIELD_AFR_OTA,
    OTA_FIELD_PROTOCOLS,
    OTA_FIELD_STREAM,
    OTA_FIELD_FILES,
    OTA_FIELD_FILE, // the one that is wanted; wrong: it is there twice
    OTA_FIELD_PATH,
    OTA_FIELD_SIZE,
    OTA_FIELD_ID,
    OTA_FIELD_TYPE,
    OTA_FIELD_CERTFILE,
    OTA_FIELD_SIGNATURE,
    OTA_FIELD_URL,
    OTA_FIELD_SCHEME,
    OTA_FIELDS,
} ota_field_t;

typedef enum { OTA_FIELD_GOOD, OTA_FIELD_MISSING, OTA_FIELD_WRONG, OTA_FIELD_LONG } ota_wrong_t;

typedef struct {
    ota_field_t field;
    ota_wrong_t wrong;
} ota_fault_t;

// The words of a fault, such as "filesize" and "missing".
const char *ota_field_word(ota_field_t field);
const char *ota_wrong_word(ota_wrong_t wrong);

// Reads a message that carries an execution. 1: a job, *job is whole. 0: there is none.
// STATUS_SYNTAX: not JSON. STATUS_VALUE: *fault says what is wrong; job->id and version are set if
// they could be read, so that it can be refused; id is "" if not.
int ota_job_read(const void *text, size_t length, uint32_t wanted_file, ota_job_t *job,
                 ota_fault_t *fault);

// What an answer to an update says.
enum { OTA_JOB_CODE_BYTES = 40 };
typedef struct {
    uint32_t version;              // versionNumber of executionState; 0: not said
    char code[OTA_JOB_CODE_BYTES]; // of a rejection; "": none
    char token[65];
} ota_answer_t;

// Members that are missing, or of another kind, count as not said.
void ota_job_read_answer(const void *text, size_t length, ota_answer_t *answer);

#endif
