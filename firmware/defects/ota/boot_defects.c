// SPDX-License-Identifier: MIT
// Defects of the bootloader, by the rules of defects.c: the linker puts each in front of the
// bootloader's own function (ota_defects.cmake names which). Never part of a product build.
#include "boot.h"

#include "floor.h"
#include "signature.h"
#include "slots.h"
#include "watchdog.h"

#include <string.h>

#ifdef RIG_DEFECT_BOOT_SIGNATURE_UNCHECKED // any signature holds
bool __wrap_signature_holds(const uint8_t point[IMAGE_POINT_BYTES],
                            const uint8_t digest[IMAGE_HASH_BYTES], const uint8_t *signature,
                            size_t length)
{
    (void)point;
    (void)digest;
    (void)signature;
    return length > 0u;
}
#endif

#if defined RIG_DEFECT_BOOT_HASH_UNCHECKED || defined RIG_DEFECT_BOOT_BOARD_UNCHECKED ||           \
    defined RIG_DEFECT_BOOT_ADDRESS_UNCHECKED
image_verdict_t __real_image_judge(const image_reader_t *reader, const image_policy_t *policy,
                                   image_t *image);
image_verdict_t __wrap_image_judge(const image_reader_t *reader, const image_policy_t *policy,
                                   image_t *image)
{
    image_verdict_t verdict = __real_image_judge(reader, policy, image);
    #ifdef RIG_DEFECT_BOOT_HASH_UNCHECKED // what is signed is the hash that the image says it has
    return verdict == IMAGE_HASH ? IMAGE_GOOD : verdict;
    #endif
    #ifdef RIG_DEFECT_BOOT_ADDRESS_UNCHECKED // an image for the other slot runs from this one
    return verdict == IMAGE_ADDRESS ? IMAGE_GOOD : verdict;
    #endif
    #ifdef RIG_DEFECT_BOOT_BOARD_UNCHECKED // an image runs whatever board it is for
    if (verdict == IMAGE_BOARD && image->has_board) {
        char board[IMAGE_BOARD_BYTES];
        image_policy_t any = *policy;
        memcpy(board, image->board, sizeof board);
        any.board = board;
        verdict = __real_image_judge(reader, &any, image);
    }
    return verdict;
    #endif
}
#endif

#if defined RIG_DEFECT_BOOT_HASH_RANGE || defined RIG_DEFECT_BOOT_LENGTH_TRUSTED
image_verdict_t __real_image_parse(const image_reader_t *reader, uint32_t most, image_t *image);
image_verdict_t __wrap_image_parse(const image_reader_t *reader, uint32_t most, image_t *image)
{
    #ifdef RIG_DEFECT_BOOT_HASH_RANGE // the hash stops a sector before the end of a full slot
    image_verdict_t verdict = __real_image_parse(reader, most, image);
    uint32_t end = OTA_SLOT_BYTES - 2u * OTA_SECTOR_BYTES;
    image->hashed_bytes = image->hashed_bytes < end ? image->hashed_bytes : end;
    return verdict;
    #else // the payload is as long as the header says, wherever that ends
    image_reader_t all = *reader;
    (void)most;
    all.size = UINT32_MAX;
    return __real_image_parse(&all, UINT32_MAX, image);
    #endif
}
#endif

#ifdef RIG_DEFECT_BOOT_COUNTER_UNCHECKED // there is no floor of the security counter
image_policy_t __real_slot_policy(int slot, uint32_t counter_floor);
image_policy_t __wrap_slot_policy(int slot, uint32_t counter_floor)
{
    (void)counter_floor;
    return __real_slot_policy(slot, 0);
}
#endif

#ifdef RIG_DEFECT_BOOT_FLOOR_STANDS // the floor of the security counter never rises
status_t __wrap_floor_raise(const image_reader_t *area, const flash_writer_t *writer,
                            uint32_t counter)
{
    (void)area;
    (void)writer;
    (void)counter;
    return STATUS_OK;
}
#endif

#ifdef RIG_DEFECT_BOOT_FLOOR_EARLY // it rises with an image that is tried, not with one that stays
void __real_handover_seal(boot_handover_t *handover);
void __wrap_handover_seal(boot_handover_t *handover)
{
    if (handover->reason == BOOT_TEST) {
        image_reader_t area = slot_state_reader();
        flash_writer_t writer = slot_state_writer();
        (void)floor_raise(&area, &writer, handover->slots[handover->slot].counter);
    }
    __real_handover_seal(handover);
}
#endif

#ifdef RIG_DEFECT_BOOT_DOWNGRADE // what asks to be tried is tried, however old it is
boot_choice_t __real_boot_choose(const slot_view_t slots[SLOT_COUNT]);
boot_choice_t __wrap_boot_choose(const slot_view_t slots[SLOT_COUNT])
{
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        if (slots[slot].verdict == IMAGE_GOOD && slots[slot].state == TRAILER_TEST) {
            return (boot_choice_t){slot, BOOT_TEST};
        }
    }
    return __real_boot_choose(slots);
}
#endif

#if defined RIG_DEFECT_BOOT_REVERT_FORGETS || defined RIG_DEFECT_BOOT_CONFIRM_EARLY
status_t __real_trailer_set_tried(const flash_writer_t *slot, uint32_t size);
status_t __wrap_trailer_set_tried(const flash_writer_t *slot, uint32_t size)
{
    #ifdef RIG_DEFECT_BOOT_REVERT_FORGETS // that an image was tried is not kept
    (void)slot;
    (void)size;
    return STATUS_OK;
    #else // an image that is tried is kept before it has said that it is well
    status_t status = __real_trailer_set_tried(slot, size);
    return status == STATUS_OK ? trailer_set_confirmed(slot, size) : status;
    #endif
}
#endif

#ifdef RIG_DEFECT_BOOT_WATCHDOG_OFF // nothing ends a self-test that hangs
void __wrap_platform_watchdog_start(uint32_t ms)
{
    (void)ms;
}
#endif
