# SPDX-License-Identifier: MIT
# What of mbedTLS 2.28 the bootloader is made of: the list `boot_crypto_sources`, for the board and for this
# machine. In: MBEDTLS_PATH, the folder with mbedTLS' library/ and include/.
if(NOT EXISTS "${MBEDTLS_PATH}/library/ecdsa.c")
  message(FATAL_ERROR "MBEDTLS_PATH='${MBEDTLS_PATH}': expected mbedTLS 2.28 with library/ecdsa.c")
endif()
set(boot_crypto_sources asn1parse asn1write bignum constant_time ecdsa ecp ecp_curves memory_buffer_alloc
  platform platform_util)
list(TRANSFORM boot_crypto_sources REPLACE "(.+)" "${MBEDTLS_PATH}/library/\\1.c")
