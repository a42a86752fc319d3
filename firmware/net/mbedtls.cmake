# SPDX-License-Identifier: MIT
# mbedTLS 2.28, unmodified, as the library `mbedtls`; its configuration is net/tls_config.h.
# In: MBEDTLS_PATH (cache variable or environment), the folder with mbedTLS' library/ and include/.
#     RIG_TLS_CONFIG, values of tls_config.h that a build sets otherwise, such as "TLS_FAST_REDUCTION=0;…".
set(MBEDTLS_PATH "$ENV{MBEDTLS_PATH}" CACHE PATH "mbedTLS source tree")
set(RIG_TLS_CONFIG "" CACHE STRING "Macros of tls_config.h with other values, MACRO=VALUE;...")

set(version "")
if(MBEDTLS_PATH AND EXISTS "${MBEDTLS_PATH}/include/mbedtls/version.h")
  file(STRINGS "${MBEDTLS_PATH}/include/mbedtls/version.h" version REGEX "define +MBEDTLS_VERSION_STRING ")
endif()
if(NOT version MATCHES "\"2\\.28\\.")
  message(FATAL_ERROR "MBEDTLS_PATH='${MBEDTLS_PATH}': expected mbedTLS 2.28 with include/mbedtls/version.h; "
    "there is: '${version}'. Give one, or build without the network: -DRIG_NETWORK=OFF")
endif()
get_filename_component(RIG_MBEDTLS_DIR "${MBEDTLS_PATH}" REALPATH)

file(STRINGS net/tls_config.h open REGEX "^#ifndef ")
foreach(setting ${RIG_TLS_CONFIG})
  string(REGEX REPLACE "=.*" "" macro "${setting}")
  if(NOT setting MATCHES "^[A-Z_]+=[0-9]+$" OR NOT "${open}" MATCHES "#ifndef ${macro}( |;|$)")
    message(FATAL_ERROR "RIG_TLS_CONFIG: '${setting}': expected MACRO=NUMBER with a macro that "
      "net/tls_config.h has in an #ifndef")
  endif()
endforeach()

set(modules aes asn1parse asn1write base64 bignum chacha20 chachapoly cipher cipher_wrap constant_time
  ctr_drbg ecdh ecdsa ecp ecp_curves entropy gcm hmac_drbg md memory_buffer_alloc oid pem pk pk_wrap pkparse
  pkwrite platform platform_util poly1305 rsa rsa_internal sha256 sha512 ssl_ciphersuites ssl_cli ssl_msg
  ssl_tls threading version x509 x509_crt)
list(TRANSFORM modules REPLACE "(.+)" "${RIG_MBEDTLS_DIR}/library/\\1.c")
add_library(mbedtls STATIC ${modules})
target_include_directories(mbedtls SYSTEM PUBLIC ${RIG_MBEDTLS_DIR}/include)
target_include_directories(mbedtls PRIVATE net)
target_compile_definitions(mbedtls PUBLIC MBEDTLS_CONFIG_FILE="tls_config.h" ${RIG_TLS_CONFIG})
target_compile_options(mbedtls PRIVATE -w "-ffile-prefix-map=${RIG_MBEDTLS_DIR}=mbedtls")
target_include_directories(mbedtls SYSTEM PRIVATE $<TARGET_PROPERTY:kernel,INTERFACE_INCLUDE_DIRECTORIES>)
target_compile_definitions(mbedtls PRIVATE $<TARGET_PROPERTY:kernel,INTERFACE_COMPILE_DEFINITIONS>)
list(APPEND RIG_LIBRARIES mbedtls)
