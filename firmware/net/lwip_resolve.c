// SPDX-License-Identifier: MIT
#include "lwip_resolve.h"

#include "kernel_compat.h"
#include "lwip_task.h"

#include "lwip/dns.h"

#include <string.h>

// lwIP asks four times, for 7 s in all, and answers "none" alike when a server said so and when no
// server said anything: an answer that late is silence.
enum { QUESTIONS = 4, SILENCE_MS = 6500 };

// A question under way. lwIP keeps its address until the answer, also when nobody waits any more.
typedef struct {
    bool asked;   // lwIP has it
    bool waiting; // a task waits
    bool found;
    ip_addr_t address;
    SemaphoreHandle_t answered;
    StaticSemaphore_t answered_block;
} question_t;

static question_t s_questions[QUESTIONS];

// By lwIP, under the lock.
static void lwip_resolve_on_answer(const char *host, const ip_addr_t *address, void *argument)
{
    (void)host;
    question_t *question = argument;
    question->asked = false;
    question->found = address != NULL;
    if (address != NULL) {
        question->address = *address;
    }
    (void)xSemaphoreGive(question->answered);
}

static question_t *lwip_resolve_take(void)
{
    for (size_t i = 0; i < QUESTIONS; i++) {
        question_t *question = &s_questions[i];
        if (!question->asked && !question->waiting) {
            if (question->answered == NULL) {
                question->answered = xSemaphoreCreateBinaryStatic(&question->answered_block);
            }
            (void)xSemaphoreTake(question->answered, 0);
            question->waiting = true;
            return question;
        }
    }
    return NULL;
}

static status_t lwip_resolve_wait(question_t *question, uint8_t address[4], uint32_t timeout_ms)
{
    uint32_t began = sys_now();
    bool answered =
        xSemaphoreTake(question->answered, lwip_ticks_left(lwip_deadline(timeout_ms))) == pdTRUE;
    lwip_lock();
    question->waiting = false;
    bool silent = !answered || sys_now() - began > SILENCE_MS;
    status_t status = question->found ? STATUS_OK : silent ? STATUS_TIMEOUT : STATUS_UNKNOWN;
    memcpy(address, &ip_2_ip4(&question->address)->addr, 4); // it is another's without the lock
    lwip_unlock();
    return status;
}

status_t lwip_resolve(const char *host, uint8_t address[4], uint32_t timeout_ms)
{
    lwip_lock();
    question_t *question = lwip_resolve_take();
    err_t asked = ERR_MEM;
    if (question != NULL) {
        question->found = false;
        asked = dns_gethostbyname(host, &question->address, lwip_resolve_on_answer, question);
        question->asked = asked == ERR_INPROGRESS;
        question->found = asked == ERR_OK;
        question->waiting = question->asked;
        memcpy(address, &ip_2_ip4(&question->address)->addr, 4);
    }
    lwip_unlock();
    if (asked != ERR_OK && asked != ERR_INPROGRESS) {
        return asked == ERR_ARG ? STATUS_UNKNOWN : asked == ERR_VAL ? STATUS_ABSENT : STATUS_RANGE;
    }
    return asked == ERR_OK ? STATUS_OK : lwip_resolve_wait(question, address, timeout_ms);
}

void lwip_resolve_abort_all(void)
{
    for (size_t i = 0; i < QUESTIONS; i++) {
        if (s_questions[i].waiting) {
            (void)xSemaphoreGive(s_questions[i].answered);
        }
    }
}
