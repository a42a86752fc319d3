// SPDX-License-Identifier: MIT
// Defects of the update agent, by the rules of defects.c: the linker puts each in front of the
// firmware's own function (ota_defects.cmake names which). Never part of a product build.
#include "flash_layout.h"
#include "flash_range.h"
#include "ota_context.h"
#include "ota_signature.h"
#include "ota_slot.h"
#include "slots.h"

#if defined RIG_DEFECT_OTA_SIGNATURE_UNCHECKED || defined RIG_DEFECT_OTA_HASH_RANGE
status_t __real_ota_signature_check(const char *certfile, const uint8_t *file, size_t length,
                                    const uint8_t *signature, size_t signature_length);
status_t __wrap_ota_signature_check(const char *certfile, const uint8_t *file, size_t length,
                                    const uint8_t *signature, size_t signature_length)
{
    #ifdef RIG_DEFECT_OTA_SIGNATURE_UNCHECKED // the job's signature is not looked at
    return STATUS_OK;
    #else // it is checked over the image, and not over the file that the image is in
    image_t image;
    bool whole = ota_slot_image(g_ota.record.slot, (uint32_t)length, &image);
    return __real_ota_signature_check(certfile, file, whole ? image.total_bytes : length, signature,
                                      signature_length);
    #endif
}
#endif

#ifdef RIG_DEFECT_OTA_CONFIRM_EARLY // a new image keeps itself as soon as it starts
void __real_ota_task_boot(void);
void __wrap_ota_task_boot(void)
{
    if (ota_slot_is_in_test()) {
        (void)ota_slot_confirm();
    }
    __real_ota_task_boot();
}
#endif

#if defined RIG_DEFECT_OTA_MAGIC_FIRST || defined RIG_DEFECT_OTA_NO_ERASE
status_t __real_ota_slot_erase(uint32_t slot, uint32_t bytes);
status_t __wrap_ota_slot_erase(uint32_t slot, uint32_t bytes)
{
    #ifdef RIG_DEFECT_OTA_MAGIC_FIRST // the slot asks to be tried before there is anything in it
    status_t status = __real_ota_slot_erase(slot, bytes);
    return status == STATUS_OK ? ota_slot_mark(slot) : status;
    #else // what is programmed was not erased
    (void)bytes;
    return slot == ota_slot_running() || ota_slot_is_in_test() ? STATUS_RANGE
                                                               : ota_slot_unmark(slot);
    #endif
}
#endif

#ifdef RIG_DEFECT_OTA_TRAILER_LEFT // the marks of the image before stay in the slot
status_t __real_flash_erase_range(uintptr_t at, uintptr_t end);
status_t __wrap_flash_erase_range(uintptr_t at, uintptr_t end)
{
    bool is_trailer = at == OTA_SLOT_A_AT + OTA_SLOT_BYTES - OTA_SECTOR_BYTES ||
                      at == OTA_SLOT_B_AT + OTA_SLOT_BYTES - OTA_SECTOR_BYTES;
    return is_trailer ? STATUS_OK : __real_flash_erase_range(at, end);
}
#endif

#ifdef RIG_DEFECT_OTA_RESUME_OFFSET // a job that is gone on with is gone on with a block too late
ota_event_t __real_ota_agent_job_event(const ota_job_facts_t *facts);
ota_event_t __wrap_ota_agent_job_event(const ota_job_facts_t *facts)
{
    static ota_window_t s_window;
    ota_event_t event = __real_ota_agent_job_event(facts);
    if (event == OTA_ON_JOB_AGAIN) {
        ota_blocks_missing(&g_ota.record.blocks, 1, &s_window);
        (void)ota_blocks_put(&g_ota.record.blocks, s_window.offset);
    }
    return event;
}
#endif

#ifdef RIG_DEFECT_OTA_BITMAP_OFF_BY_ONE // for a block that is lost, the one behind is asked for
static bool defect_is_gap(const ota_blocks_t *blocks, uint32_t first)
{
    for (uint32_t i = first; i < blocks->total; i++) {
        if (ota_blocks_has(blocks, i)) {
            return true;
        }
    }
    return false;
}

void __real_ota_blocks_missing(const ota_blocks_t *blocks, uint32_t most, ota_window_t *window);
void __wrap_ota_blocks_missing(const ota_blocks_t *blocks, uint32_t most, ota_window_t *window)
{
    __real_ota_blocks_missing(blocks, most, window);
    window->offset += window->count > 0u && defect_is_gap(blocks, window->offset) ? 1u : 0u;
}
#endif

#ifdef RIG_DEFECT_OTA_DOWNGRADE // every version is newer than the one that runs
uint32_t __wrap_ota_slot_running_version(void)
{
    return 0;
}
#endif

#if defined RIG_DEFECT_OTA_VERSION_WRONG || defined RIG_DEFECT_OTA_SUCCESS_EARLY
int __real_ota_report_write(const ota_report_t *report, char *out, size_t size);
int __wrap_ota_report_write(const ota_report_t *report, char *out, size_t size)
{
    ota_report_t said = *report;
    #ifdef RIG_DEFECT_OTA_VERSION_WRONG // the version that was there before is told as the new one
    said.version = said.kind == OTA_REPORT_ACCEPTED ? g_ota.record.from_version : said.version;
    #else // success is told before the image was tried
    said.kind = said.kind == OTA_REPORT_READY ? OTA_REPORT_ACCEPTED : said.kind;
    #endif
    return __real_ota_report_write(&said, out, size);
}
#endif

#ifdef RIG_DEFECT_OTA_RETRY_FOREVER // an answer that does not come is waited for without end
ota_event_t __wrap_ota_agent_silence(uint32_t *unanswered, uint32_t most)
{
    (void)most;
    ++*unanswered;
    return OTA_ON_SILENCE;
}
#endif

#ifdef RIG_DEFECT_OTA_WRONG_SLOT // the file for the slot that runs is taken
int __real_ota_job_read(const void *text, size_t length, uint32_t wanted_file, ota_job_t *job,
                        ota_fault_t *fault);
int __wrap_ota_job_read(const void *text, size_t length, uint32_t wanted_file, ota_job_t *job,
                        ota_fault_t *fault)
{
    return __real_ota_job_read(text, length, 1u - wanted_file, job, fault);
}
#endif

#ifdef RIG_DEFECT_OTA_CANCEL_DEAF // that a job was taken back is not heard
ota_step_t __real_ota_agent_step(ota_state_t state, ota_event_t event);
ota_step_t __wrap_ota_agent_step(ota_state_t state, ota_event_t event)
{
    return event == OTA_ON_GONE ? (ota_step_t){state, 0} : __real_ota_agent_step(state, event);
}
#endif

#ifdef RIG_DEFECT_OTA_FILE_UNCHECKED // a block is taken whatever file it says it is of
bool __real_ota_cloud_block(ota_block_t *block, uint32_t **words);
bool __wrap_ota_cloud_block(ota_block_t *block, uint32_t **words)
{
    bool came = __real_ota_cloud_block(block, words);
    if (came) {
        block->file = g_ota.job.file;
    }
    return came;
}
#endif
