// SPDX-License-Identifier: MIT
// Why a handshake failed, in words for a person. Pure but for mbedTLS' numbers.
#ifndef TLS_WORDS_H
#define TLS_WORDS_H

#include <stddef.h>
#include <stdint.h>

// What is wrong with a certificate, by the flags of mbedTLS' verification, such as "certificate:
// name, expired". "" for 0.
void tls_words_of_certificate(uint32_t flags, char *words, size_t size);

// An error of mbedTLS'; `alert` is the number of the alert that came, where the error is that one.
void tls_words_of_error(int error, uint8_t alert, char *words, size_t size);

#endif
