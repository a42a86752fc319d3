// SPDX-License-Identifier: MIT
// Commands about the board's own flash: sector, erase, write. Sectors in use are refused.
#include "commands_table.h"
#include "console.h"
#include "platform.h"
#if defined(RIG_NETWORK) && RIG_NETWORK
    #include "flash_layout.h"
#endif

#include <string.h>

enum { WRITE_BYTES = 64, WORD_BYTES = 4, DIGIT_BITS = 4 };

extern uint8_t __image_start[], __image_end[];

static bool flash_overlaps(const platform_sector_t *sector, uintptr_t start, uintptr_t end)
{
    return sector->start < end && start < sector->start + sector->size;
}

// Whether it holds the image, or what the firmware itself keeps there: keys, Wi-Fi networks, the
// states of bootloader and update agent.
static bool flash_is_used(const platform_sector_t *sector)
{
#if defined(RIG_NETWORK) && RIG_NETWORK
    const uintptr_t store_end = PLATFORM_STORE_AT + 2u * PLATFORM_STORE_AREA_BYTES;
    const uintptr_t networks_end = PLATFORM_NETWORKS_AT + 2u * PLATFORM_NETWORKS_AREA_BYTES;
    if (flash_overlaps(sector, PLATFORM_STORE_AT, store_end) ||
        flash_overlaps(sector, PLATFORM_NETWORKS_AT, networks_end) ||
        flash_overlaps(sector, OTA_STATE_AT, OTA_STATE_AT + OTA_STATE_BYTES) ||
        flash_overlaps(sector, OTA_AGENT_AT, OTA_AGENT_AT + OTA_AGENT_BYTES)) {
        return true;
    }
#endif
    return flash_overlaps(sector, (uintptr_t)__image_start, (uintptr_t)__image_end);
}

// The sector, if the caller may change it.
static status_t flash_free_sector(uintptr_t address, platform_sector_t *sector)
{
    status_t status = platform_flash_sector(address, sector);
    return status == STATUS_OK && flash_is_used(sector) ? STATUS_RANGE : status;
}

static void flash_refuse(reply_t *reply, status_t status, const char *argument)
{
    reply_error(reply, status_word(status), argument);
}

static line_t *flash_begin_sector(reply_t *reply, const platform_sector_t *sector)
{
    line_t *line = reply_ok(reply);
    line_add_u32(line, "start", (uint32_t)sector->start);
    line_add_u32(line, "size", (uint32_t)sector->size);
    return line;
}

void command_flash_sector(const command_call_t *call, reply_t *reply)
{
    platform_sector_t sector;
    uintptr_t address = (uintptr_t)call->values[ARG_FLASH_SECTOR_ADDRESS].number;
    status_t status = platform_flash_sector(address, &sector);
    if (status != STATUS_OK) {
        flash_refuse(reply, status, "address");
        return;
    }
    line_add_u32(flash_begin_sector(reply, &sector), "used", flash_is_used(&sector) ? 1 : 0);
    reply_send(reply);
}

void command_flash_erase(const command_call_t *call, reply_t *reply)
{
    platform_sector_t sector;
    uintptr_t address = (uintptr_t)call->values[ARG_FLASH_ERASE_ADDRESS].number;
    status_t status = flash_free_sector(address, &sector);
    status = status == STATUS_OK ? platform_flash_erase(address) : status;
    if (status != STATUS_OK) {
        flash_refuse(reply, status, "address");
        return;
    }
    (void)flash_begin_sector(reply, &sector);
    reply_send(reply);
}

static int flash_digit(char character)
{
    static const char s_digits[] = "0123456789ABCDEFabcdef";
    const char *at = character == '\0' ? NULL : strchr(s_digits, character);
    if (at == NULL) {
        return -1;
    }
    int value = (int)(at - s_digits);
    return value < 16 ? value : value - 6;
}

// Bytes from hexadecimal text, in memory order; their number, or below 0 a status.
static int flash_parse(const char *text, uint8_t *bytes)
{
    size_t length = strlen(text);
    if (length == 0u || length % (2u * WORD_BYTES) != 0u || length > 2u * WRITE_BYTES) {
        return STATUS_VALUE;
    }
    for (size_t i = 0; i < length / 2u; i++) {
        int high = flash_digit(text[2u * i]);
        int low = flash_digit(text[2u * i + 1u]);
        if (high < 0 || low < 0) {
            return STATUS_VALUE;
        }
        bytes[i] = (uint8_t)(high << DIGIT_BITS | low);
    }
    return (int)(length / 2u);
}

// First and last byte must lie in sectors that are free; between them is none that is used.
static status_t flash_write(uintptr_t address, const uint32_t *words, size_t length)
{
    platform_sector_t sector;
    status_t status = flash_free_sector(address, &sector);
    if (status == STATUS_OK) {
        status = flash_free_sector(address + length - 1u, &sector);
    }
    return status == STATUS_OK ? platform_flash_write(address, words, length) : status;
}

void command_flash_write(const command_call_t *call, reply_t *reply)
{
    uint32_t words[WRITE_BYTES / WORD_BYTES];
    uint8_t bytes[WRITE_BYTES];
    uintptr_t address = (uintptr_t)call->values[ARG_FLASH_WRITE_ADDRESS].number;
    int length = flash_parse(call->values[ARG_FLASH_WRITE_DATA].text, bytes);
    if (length < 0) {
        flash_refuse(reply, (status_t)length, "data");
        return;
    }
    memcpy(words, bytes, (size_t)length);
    status_t status = flash_write(address, words, (size_t)length);
    if (status != STATUS_OK) {
        flash_refuse(reply, status, "address");
        return;
    }
    line_t *line = reply_ok(reply);
    line_add_u32(line, "address", (uint32_t)address);
    line_add_u32(line, "bytes", (uint32_t)length);
    reply_send(reply);
}
