// SPDX-License-Identifier: MIT
// Whether a file is signed by the certificate that a job names (sig-sha256-ecdsa: ECDSA in DER over
// the SHA-256 of the whole file). Needs some 8 KiB of stack. From tasks.
#ifndef OTA_SIGNATURE_H
#define OTA_SIGNATURE_H

#include "status.h"

#include <stddef.h>
#include <stdint.h>

// STATUS_UNKNOWN: the board keeps no code signer's certificate of that label; STATUS_REFUSED: the
// signature does not hold; STATUS_VALUE: the certificate's key cannot verify it.
status_t ota_signature_check(const char *certfile, const uint8_t *file, size_t length,
                             const uint8_t *signature, size_t signature_length);

#endif
