# SPDX-License-Identifier: MIT
# Finds the FreeRTOS kernel tree and makes the library `kernel` from it, unmodified.
# In: FREERTOS_KERNEL_PATH (cache variable or environment), RIG_KERNEL_PORT (such as GCC/ARM_CM3).
# The path may be the root of V10/V11 or the folder around FreeRTOS/Source of earlier releases.
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

set(RIG_KERNEL_PORT_DIR "${RIG_KERNEL_DIR}/portable/${RIG_KERNEL_PORT}")
set(RIG_KERNEL_HEAP heap_4 CACHE STRING "Heap scheme of the kernel: heap_1 to heap_5")
string(REGEX REPLACE "^heap_" "" heap_number "${RIG_KERNEL_HEAP}")
set(heap_source "${RIG_KERNEL_DIR}/portable/MemMang/${RIG_KERNEL_HEAP}.c")
foreach(needed "${RIG_KERNEL_DIR}/include/FreeRTOS.h" "${RIG_KERNEL_PORT_DIR}/port.c" "${heap_source}")
  if(NOT EXISTS "${needed}")
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
if(EXISTS "${RIG_KERNEL_PORT_DIR}/portasm.c")
  target_sources(kernel PRIVATE ${RIG_KERNEL_PORT_DIR}/portasm.c)
endif()
target_include_directories(kernel SYSTEM PUBLIC ${RIG_KERNEL_DIR}/include ${RIG_KERNEL_PORT_DIR})
target_include_directories(kernel PUBLIC platform ${RIG_BOARD_DIR})
target_compile_definitions(kernel PUBLIC RIG_KERNEL_HEAP="${RIG_KERNEL_HEAP}"
  RIG_KERNEL_HEAP_NUMBER=${heap_number}
  RIG_KERNEL_PORT="${RIG_KERNEL_PORT}")
target_compile_options(kernel PRIVATE -w)
