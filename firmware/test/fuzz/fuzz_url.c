// SPDX-License-Identifier: MIT
// A pre-signed URL, and the request that is made of it: nothing in it may begin another line. The
// first byte is how much room there is for the request.
#include "fuzz.h"

#include "ota_url.h"

static size_t lines(const char *text)
{
    size_t count = 0;
    for (; (text = strstr(text, "\r\n")) != NULL; text += 2) {
        count++;
    }
    return count;
}

static void check_request(const ota_url_t *url, size_t size)
{
    char *out = malloc(size);
    int length = ota_url_request(url, 0, UINT32_MAX, out, size);
    if (length >= 0) {
        FUZZ_CHECK((size_t)length < size && strlen(out) == (size_t)length);
        FUZZ_CHECK(strncmp(out, "GET /", 5) == 0 && lines(out) == 4u);
        FUZZ_CHECK(strcmp(out + length - 4, "\r\n\r\n") == 0);
        FUZZ_CHECK(strchr(out, '\n') == strstr(out, "\r\n") + 1);
    } else {
        FUZZ_CHECK(length == STATUS_SPACE);
    }
    fuzz_seen(length >= 0 ? "request" : "no room");
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    ota_url_t url;
    if (length == 0u) {
        return 0;
    }
    char *text = malloc(length);
    memcpy(text, bytes + 1, length - 1u);
    text[length - 1u] = '\0';
    if (ota_url_read(text, &url) == STATUS_OK) {
        FUZZ_CHECK(url.host[0] != '\0' && fuzz_ends(url.host, sizeof url.host));
        FUZZ_CHECK(url.port != 0u && url.target[0] == '/');
        fuzz_seen(url.tls ? "https" : "http");
        check_request(&url, 1u + 16u * bytes[0]);
    } else {
        fuzz_seen("refused");
    }
    free(text);
    return 0;
}
