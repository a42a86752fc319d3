# SPDX-License-Identifier: MIT
# Finds the FreeRTOS kernel tree and makes the library `kernel` from it, unmodified.
# In: FREERTOS_KERNEL_PATH (cache variable or environment), RIG_KERNEL_PORT (such as GCC/ARM_CM3),
# RIG_KERNEL_HEAP, RIG_KERNEL_CONFIG. The path may be the root of V10.3 to V11, or the folder around
# FreeRTOS/Source of the releases up to V10.2.1. A tree that cannot be used is refused here, with what was
# expected and what is there.
set(FREERTOS_KERNEL_PATH "$ENV{FREERTOS_KERNEL_PATH}" CACHE PATH "FreeRTOS kernel source tree")
if(NOT FREERTOS_KERNEL_PATH)
  message(FATAL_ERROR
    "FREERTOS_KERNEL_PATH is not set. Give the FreeRTOS kernel source tree, V9 to V11:\n"
    "  cmake --preset ${RIG_BOARD} -DFREERTOS_KERNEL_PATH=<folder with tasks.c and include/>\n"
    "or set it in the environment.")
endif()

set(RIG_KERNEL_DIR "")
foreach(candidate "" /FreeRTOS/Source /Source)
  if(NOT RIG_KERNEL_DIR AND EXISTS "${FREERTOS_KERNEL_PATH}${candidate}/tasks.c")
    get_filename_component(RIG_KERNEL_DIR "${FREERTOS_KERNEL_PATH}${candidate}" REALPATH)
  endif()
endforeach()
if(NOT RIG_KERNEL_DIR)
  message(FATAL_ERROR "FREERTOS_KERNEL_PATH=${FREERTOS_KERNEL_PATH}: no tasks.c there, nor in "
    "FreeRTOS/Source or Source below it; it must be a FreeRTOS kernel tree")
endif()

# Which kernel it is, before a compiler says so in its own words.
set(version "")
if(EXISTS "${RIG_KERNEL_DIR}/include/task.h")
  file(STRINGS "${RIG_KERNEL_DIR}/include/task.h" version REGEX "define +tskKERNEL_VERSION_NUMBER")
endif()
if(NOT version MATCHES "\"V([0-9]+)\\.[0-9.]+")
  message(FATAL_ERROR "kernel tree ${RIG_KERNEL_DIR}: include/task.h names no tskKERNEL_VERSION_NUMBER; "
    "it must be a FreeRTOS kernel tree, V9.0.0 or later")
endif()
if(CMAKE_MATCH_1 LESS 9)
  message(FATAL_ERROR "kernel tree ${RIG_KERNEL_DIR} is FreeRTOS ${CMAKE_MATCH_0}; needed is V9.0.0 or later: "
    "the firmware's tasks are allocated statically")
endif()

set(RIG_KERNEL_PORT_DIR "${RIG_KERNEL_DIR}/portable/${RIG_KERNEL_PORT}")
if(NOT EXISTS "${RIG_KERNEL_PORT_DIR}/port.c")
  file(GLOB ports RELATIVE "${RIG_KERNEL_DIR}/portable" "${RIG_KERNEL_DIR}/portable/GCC/*")
  list(JOIN ports " " ports)
  message(FATAL_ERROR "kernel tree ${RIG_KERNEL_DIR} lacks the port ${RIG_KERNEL_PORT} of board ${RIG_BOARD}; "
    "it has: ${ports}")
endif()

# The heap: heap_1 to heap_5 as the tree has them, or `none` for a kernel without dynamic allocation.
set(RIG_KERNEL_HEAP heap_4 CACHE STRING "Heap scheme of the kernel: heap_1 to heap_5, or none")
set(heap_source "${RIG_KERNEL_DIR}/portable/MemMang/${RIG_KERNEL_HEAP}.c")
if(RIG_KERNEL_HEAP STREQUAL "none")
  set(heap_source "")
  set(heap_number 0)
elseif(NOT RIG_KERNEL_HEAP MATCHES "^heap_([1-5])$" OR NOT EXISTS "${heap_source}")
  file(GLOB schemes RELATIVE "${RIG_KERNEL_DIR}/portable/MemMang" "${RIG_KERNEL_DIR}/portable/MemMang/heap_*.c")
  list(TRANSFORM schemes REPLACE "\\.c$" "")
  list(JOIN schemes " " schemes)
  message(FATAL_ERROR "RIG_KERNEL_HEAP=${RIG_KERNEL_HEAP}: expected none or a scheme of the kernel tree "
    "${RIG_KERNEL_DIR}; it has: ${schemes}")
else()
  set(heap_number ${CMAKE_MATCH_1})
endif()

# Macros of the kernel's configuration that this build sets otherwise than FreeRTOSConfig.h, such as
# "configUSE_TIMERS=0;configUSE_MUTEXES=0".
set(RIG_KERNEL_CONFIG "" CACHE STRING "Macros of FreeRTOSConfig.h with other values, MACRO=VALUE;...")
file(STRINGS platform/FreeRTOSConfig.h open REGEX "^#ifndef (config|INCLUDE_)")
foreach(setting ${RIG_KERNEL_CONFIG})
  string(REGEX REPLACE "=.*" "" macro "${setting}")
  if(NOT setting MATCHES "^[A-Za-z_]+=[0-9]+$" OR NOT "${open}" MATCHES "#ifndef ${macro}( |;|$)")
    message(FATAL_ERROR "RIG_KERNEL_CONFIG: '${setting}': expected MACRO=NUMBER with a macro that "
      "platform/FreeRTOSConfig.h has in an #ifndef")
  endif()
endforeach()

foreach(needed include/FreeRTOS.h tasks.c queue.c list.c timers.c event_groups.c)
  if(NOT EXISTS "${RIG_KERNEL_DIR}/${needed}")
    message(FATAL_ERROR "kernel tree ${RIG_KERNEL_DIR} lacks ${needed}")
  endif()
endforeach()

add_library(kernel OBJECT
  ${RIG_KERNEL_DIR}/tasks.c ${RIG_KERNEL_DIR}/queue.c ${RIG_KERNEL_DIR}/list.c
  ${RIG_KERNEL_DIR}/timers.c ${RIG_KERNEL_DIR}/event_groups.c
  ${RIG_KERNEL_PORT_DIR}/port.c ${heap_source})
if(EXISTS "${RIG_KERNEL_DIR}/stream_buffer.c")
  target_sources(kernel PRIVATE ${RIG_KERNEL_DIR}/stream_buffer.c)
endif()
if(EXISTS "${RIG_KERNEL_PORT_DIR}/portasm.c") # Cortex-M0 from V11.1, Cortex-M33
  target_sources(kernel PRIVATE ${RIG_KERNEL_PORT_DIR}/portasm.c)
endif()
target_include_directories(kernel SYSTEM PUBLIC ${RIG_KERNEL_DIR}/include ${RIG_KERNEL_PORT_DIR})
target_include_directories(kernel PUBLIC platform ${RIG_BOARD_DIR})
target_compile_definitions(kernel PUBLIC ${RIG_KERNEL_CONFIG} RIG_KERNEL_HEAP="${RIG_KERNEL_HEAP}"
  RIG_KERNEL_HEAP_NUMBER=${heap_number}
  RIG_KERNEL_PORT="${RIG_KERNEL_PORT}")
target_compile_options(kernel PRIVATE -w)
