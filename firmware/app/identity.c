// SPDX-License-Identifier: MIT
#include "identity.h"

#include "kernel_compat.h"
#include "sha256.h"

#define TEXT_OF(number) #number
#define EXPANDED(macro) TEXT_OF(macro)

extern const uint8_t __image_start[], __image_end[];

static char s_image[SHA256_TEXT_BYTES];

void identity_init(void)
{
    uint8_t digest[SHA256_BYTES];
    sha256_digest(__image_start, (size_t)(__image_end - __image_start), digest);
    sha256_text(digest, s_image);
}

const char *identity_compiler(void)
{
    return "gcc-" EXPANDED(__GNUC__) "." EXPANDED(__GNUC_MINOR__) "." EXPANDED(__GNUC_PATCHLEVEL__);
}

void identity_add_fields(line_t *line)
{
    line_add_text(line, "kernel", KERNEL_VERSION_TEXT);
    line_add_text(line, "version", RIG_VERSION);
    line_add_text(line, "board", RIG_BOARD);
    line_add_text(line, "image", s_image);
    line_add_text(line, "flags", RIG_FLAGS_HASH);
}
