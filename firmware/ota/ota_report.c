// SPDX-License-Identifier: MIT
#include "ota_report.h"

#include "ota_text.h"

#include <stdbool.h>

const char *ota_error_word(ota_error_t error)
{
    static const char *const s_words[] = {
        "none",  "document",  "size",  "silence", "stream",   "http",
        "flash", "signature", "image", "version", "rollback", "user",
    };
    return s_words[error];
}

uint32_t ota_version32(uint32_t major, uint32_t minor, uint32_t build)
{
    return (major & 0xFFu) << 24 | (minor & 0xFFu) << 16 | (build & 0xFFFFu);
}

uint32_t ota_version_of(const char *text)
{
    uint32_t parts[3] = {0};
    size_t part = 0;
    for (bool digit = false; *text != '\0'; text++) {
        if (*text == '.' && digit && part < 2u) {
            part++;
            digit = false;
        } else if (*text >= '0' && *text <= '9' && parts[part] <= 0xFFFFu) {
            parts[part] = parts[part] * 10u + (uint32_t)(*text - '0');
            digit = true;
        } else {
            return 0;
        }
    }
    bool fits = parts[0] <= 0xFFu && parts[1] <= 0xFFu && parts[2] <= 0xFFFFu;
    return part == 2u && fits ? ota_version32(parts[0], parts[1], parts[2]) : 0u;
}

static void report_add_version(ota_text_t *text, uint32_t version)
{
    ota_text_add_u32(text, version >> 24);
    ota_text_add(text, ".");
    ota_text_add_u32(text, version >> 16 & 0xFFu);
    ota_text_add(text, ".");
    ota_text_add_u32(text, version & 0xFFFFu);
}

void ota_version_text(uint32_t version, char text[OTA_VERSION_TEXT_BYTES])
{
    ota_text_t out = {text, OTA_VERSION_TEXT_BYTES, 0};
    report_add_version(&out, version);
}

static const char *report_status(ota_report_kind_t kind)
{
    if (kind <= OTA_REPORT_ACTIVE) {
        return "IN_PROGRESS";
    }
    return kind == OTA_REPORT_ACCEPTED ? "SUCCEEDED" : "FAILED";
}

static void report_add_self_test(ota_text_t *text, const char *word, uint32_t version)
{
    ota_text_add(text, "\"self_test\":\"");
    ota_text_add(text, word);
    ota_text_add(text, "\",\"updatedBy\":\"");
    ota_text_add_hex(text, version, 8);
    ota_text_add(text, "\"");
}

static void report_add_reason(ota_text_t *text, const ota_report_t *report, const char *before)
{
    ota_text_add(text, "\"reason\":\"");
    ota_text_add(text, before);
    ota_text_add_hex(text, report->error, 8);
    if (report->kind == OTA_REPORT_FAILED) {
        ota_text_add(text, ": ");
        ota_text_add_hex(text, report->sub, 8);
    }
    ota_text_add(text, "\"");
}

static void report_add_details(ota_text_t *text, const ota_report_t *report)
{
    switch (report->kind) {
    case OTA_REPORT_RECEIVE:
        ota_text_add(text, "\"receive\":\"");
        ota_text_add_u32(text, report->got);
        ota_text_add(text, "/");
        ota_text_add_u32(text, report->total);
        ota_text_add(text, "\"");
        break;
    case OTA_REPORT_READY:
        report_add_self_test(text, "ready", report->version);
        break;
    case OTA_REPORT_ACTIVE:
        report_add_self_test(text, "active", report->version);
        break;
    case OTA_REPORT_ACCEPTED:
        ota_text_add(text, "\"reason\":\"accepted v");
        report_add_version(text, report->version);
        ota_text_add(text, "\",\"updatedBy\":\"v");
        report_add_version(text, report->version);
        ota_text_add(text, "\"");
        break;
    case OTA_REPORT_FAILED:
        report_add_reason(text, report, "");
        break;
    case OTA_REPORT_REJECTED:
        report_add_reason(text, report, "rejected: ");
        break;
    case OTA_REPORT_ABORTED:
        report_add_reason(text, report, "aborted: ");
        break;
    }
}

int ota_report_write(const ota_report_t *report, char *out, size_t size)
{
    ota_text_t text = {out, size, 0};
    ota_text_add(&text, "{\"status\":\"");
    ota_text_add(&text, report_status(report->kind));
    ota_text_add(&text, "\",\"statusDetails\":{");
    report_add_details(&text, report);
    ota_text_add(&text, "}");
    if (report->expected != 0u) {
        ota_text_add(&text, ",\"expectedVersion\":\"");
        ota_text_add_u32(&text, report->expected);
        ota_text_add(&text, "\"");
    }
    ota_text_add(&text, ",\"includeJobExecutionState\":true,\"clientToken\":\"");
    ota_text_add(&text, report->token);
    ota_text_add(&text, "\"}");
    return ota_text_end(&text);
}
