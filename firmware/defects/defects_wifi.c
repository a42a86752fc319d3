// SPDX-License-Identifier: MIT
// Defects of Wi-Fi, by the rules of defects.c. Never part of a product build.
#include "at_channel.h"
#include "at_reader.h"
#include "record_pair.h"

#ifdef RIG_DEFECT_WIFI_REFUSAL_IGNORED // a join that the module refuses is taken for a good one
status_t __real_at_run(uint32_t timeout_ms);
status_t __wrap_at_run(uint32_t timeout_ms)
{
    status_t status = __real_at_run(timeout_ms);
    return status == STATUS_REFUSED && at_answer("+CWJAP:", 0) != NULL ? STATUS_OK : status;
}
#endif

#ifdef RIG_DEFECT_WIFI_CLOSED_LOST // that a connection was closed by the peer is not noted
at_news_t __real_at_news(uint32_t link);
at_news_t __wrap_at_news(uint32_t link)
{
    at_news_t news = __real_at_news(link);
    news.closed = false;
    return news;
}
#endif

#ifdef RIG_DEFECT_WIFI_LATE_ANSWER // that an answer is still to come is forgotten
at_kind_t __real_reader_wait(TickType_t ticks);
at_kind_t __wrap_reader_wait(TickType_t ticks)
{
    at_kind_t last = __real_reader_wait(ticks);
    return last == AT_NOTHING ? AT_BUSY : last;
}
#endif

#ifdef RIG_DEFECT_WIFI_DELETE_IGNORED // a kept network that is deleted stays
status_t __wrap_wifi_store_delete(size_t place)
{
    (void)place;
    return STATUS_OK;
}
#endif

#ifdef RIG_DEFECT_WIFI_NOT_KEPT // networks are kept in RAM alone
status_t __wrap_record_save(const record_flash_t *flash, const void *bytes, size_t length)
{
    (void)flash;
    (void)bytes;
    (void)length;
    return STATUS_OK;
}
#endif

#ifdef RIG_DEFECT_WIFI_UNCHECKED // what goes to the module is not looked at
status_t __wrap_wifi_check_ssid(const char *ssid)
{
    (void)ssid;
    return STATUS_OK;
}
#endif

#ifdef RIG_DEFECT_WIFI_START_UNSEEN // that the module has started by itself is not seen
at_state_t __real_at_state(void);
at_state_t __wrap_at_state(void)
{
    at_state_t state = __real_at_state();
    state.starts = 1;
    return state;
}
#endif

#ifdef RIG_DEFECT_WIFI_BYTE_LOST // the last byte of a full piece is lost
status_t __real_at_send(uint32_t link, const void *bytes, size_t length, uint32_t timeout_ms);
status_t __wrap_at_send(uint32_t link, const void *bytes, size_t length, uint32_t timeout_ms)
{
    return __real_at_send(link, bytes, length == AT_SEND_BYTES ? length - 1u : length, timeout_ms);
}
#endif
