// SPDX-License-Identifier: MIT
// ECDSA on P-256 by mbedTLS, for image_policy_t. Memory comes from a pool of its own in here; about
// 12 KiB are in use at most. Not for two callers at once.
#ifndef SIGNATURE_H
#define SIGNATURE_H

#include "image.h"

// See image_signature_holds_t. False also where memory did not do.
bool signature_holds(const uint8_t point[IMAGE_POINT_BYTES], const uint8_t digest[IMAGE_HASH_BYTES],
                     const uint8_t *signature, size_t length);

#endif
