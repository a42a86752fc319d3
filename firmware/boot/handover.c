// SPDX-License-Identifier: MIT
#include "handover.h"

#include "crc16.h"

static uint32_t handover_check(const boot_handover_t *handover)
{
    return crc16_update(CRC16_INITIAL, handover, offsetof(boot_handover_t, check));
}

bool handover_is_whole(const boot_handover_t *handover)
{
    return handover->magic == HANDOVER_MAGIC && handover->check == handover_check(handover);
}

void handover_seal(boot_handover_t *handover)
{
    handover->magic = HANDOVER_MAGIC;
    handover->check = handover_check(handover);
}
