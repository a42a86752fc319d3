// SPDX-License-Identifier: MIT
// What the agent says to the Jobs and Streams services and hears of them, over the firmware's MQTT
// client. Sending is net.ota's; what comes is taken in the task net.mqtt, decoded at once, and kept
// until net.ota fetches it: of each kind of answer the last one, and of blocks as many as were
// asked for. Nothing here waits but ota_cloud_subscribe().
#ifndef OTA_CLOUD_H
#define OTA_CLOUD_H

#include "mqtt_codec.h"
#include "ota_job.h"
#include "ota_report.h"
#include "ota_stream.h"

// A thing's name, with NUL.
enum { OTA_THING_BYTES = 129 };

// What came since it was fetched last.
typedef struct {
    bool job_came;
    int job_outcome; // of ota_job_read()
    ota_job_t job;
    ota_fault_t fault;
    bool notified;
    char notified_id[OTA_JOB_ID_BYTES]; // "": no job is left
    bool notified_badly;                // of something that cannot be read
    bool answered, accepted;            // an update of ours
    ota_answer_t answer;
    bool stream_rejected;
    char stream_code[OTA_CODE_BYTES];
} ota_mail_t;

// Messages and blocks that were of no use.
typedef struct {
    uint32_t malformed; // not what the service says
    uint32_t dropped;   // blocks that nobody asked for, or for which there was no room
} ota_cloud_counts_t;

// Subscribes to all topics of a thing, in net.work. STATUS_VALUE: no thing's name; STATUS_REFUSED;
// as mqtt_task_topics().
status_t ota_cloud_subscribe(const char *thing, uint32_t wait_ms);

// Takes a message of any topic; whether it was the agent's. In net.mqtt, which holds the lock.
bool ota_cloud_take(const mqtt_publish_t *message);

// Fetches what came.
void ota_cloud_fetch(ota_mail_t *mail);
ota_cloud_counts_t ota_cloud_counts(void);

// Whether the client is connected, and the number of that connection.
bool ota_cloud_is_up(uint32_t *connection);

// ---- what is sent. Returns STATUS_OK or as mqtt_task_publish() ----------------------------------

// Asks for the next job.
status_t ota_cloud_ask(void);

// Makes room for the blocks of a request and sends it. `encoding` says in which form.
status_t ota_cloud_request(const char *stream, ota_encoding_t encoding,
                           const ota_request_t *request);

// Sends a report about a job with a token of its own, which is left in `token`. `qos` 1: it is kept
// until the broker has it; *packet is its identifier then.
status_t ota_cloud_report(const char *job, ota_report_t *report, char token[OTA_TOKEN_BYTES],
                          uint8_t qos, uint16_t *packet);

// Waits until the broker has a packet, at most so long.
void ota_cloud_flush(uint16_t packet, uint32_t wait_ms);

// ---- blocks that came ---------------------------------------------------------------------------

// The oldest; it stays in its place until ota_cloud_drop_block(). false: none.
bool ota_cloud_block(ota_block_t *block, uint32_t **words);
void ota_cloud_drop_block(void);

// Lets all go, and takes no more until the next request.
void ota_cloud_drop_blocks(void);

// The memory in which blocks are kept, OTA_REQUEST_BYTES_MOST, for who fetches them otherwise.
uint32_t *ota_cloud_arena(void);

#endif
