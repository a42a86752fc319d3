# SPDX-License-Identifier: MIT
# The network part of an image: everything in net/, and the libraries of third parties that it stands on.
# Included by CMakeLists.txt where RIG_NETWORK is ON; a file net/<library>.cmake makes one library each and
# appends it to RIG_LIBRARIES.
file(GLOB RIG_NETWORK_SOURCES RELATIVE ${CMAKE_SOURCE_DIR} CONFIGURE_DEPENDS net/*.c net/mqtt/*.c net/wifi/*.c ota/*.c)
list(FILTER RIG_NETWORK_SOURCES EXCLUDE REGEX "^ota/(cmd_boot|self_test)\\.c$") # only with RIG_OTA
list(APPEND RIG_SOURCES ${RIG_NETWORK_SOURCES} boot/image_parse.c boot/trailer.c ${RIG_BOARD_NETWORK_SOURCES})
list(APPEND RIG_INCLUDES net net/mqtt net/wifi ota boot)
include(net/transport.cmake)
include(net/vendor.cmake)
include(net/lwip.cmake)
include(net/mbedtls.cmake)

# How long an image that is tried may take until it is confirmed; console: ota.settings test_ms=.
set(RIG_SELF_TEST_MS 16000 CACHE STRING "Milliseconds from boot to the end of an update's self-test")
set_source_files_properties(ota/ota_task.c PROPERTIES COMPILE_DEFINITIONS OTA_SELF_TEST_MS=${RIG_SELF_TEST_MS}u)
