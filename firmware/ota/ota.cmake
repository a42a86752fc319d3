# SPDX-License-Identifier: MIT
# What an image with OTA has more, and the bootloader that starts it. Included by CMakeLists.txt where RIG_OTA
# is ON; a board that has it sets RIG_BOARD_OTA_SOURCES and has slot.ld, boot_ota.ld and boot_board.c.
# Outputs in the build folder beside those of every build: boot_ota.elf and boot_ota-<ms>.elf, and
# slots/<version>-<slot>.elf for each version of RIG_LADDER.
set(RIG_SLOT a CACHE STRING "Slot that app.elf is linked for: a or b")
set(RIG_LADDER "" CACHE STRING "Versions to link for both slots, such as 0.9.0;0.9.1")
set(RIG_BOOT_KEY "" CACHE FILEPATH "Public key (PEM, P-256) that the bootloader checks images with")
set(RIG_BOOT_WATCHDOG_MS "20000;5000" CACHE STRING
  "Time of an image's self-test until the watchdog's NMI: of boot_ota.elf, and of further boot_ota-<ms>.elf")
if(NOT RIG_BOARD_OTA_SOURCES)
  message(FATAL_ERROR "RIG_OTA: board ${RIG_BOARD} has no bootloader of two slots")
endif()
if(NOT RIG_SLOT MATCHES "^[ab]$")
  message(FATAL_ERROR "RIG_SLOT=${RIG_SLOT}: expected a or b")
endif()
if(NOT EXISTS "${RIG_BOOT_KEY}")
  message(FATAL_ERROR "RIG_BOOT_KEY='${RIG_BOOT_KEY}': expected the file of a public key in PEM")
endif()

set(RIG_BOOT_PURE boot/choice.c boot/floor.c boot/handover.c boot/image_judge.c boot/image_parse.c boot/trailer.c
  ota/slots.c)
file(GLOB RIG_OTA_SOURCES RELATIVE ${CMAKE_SOURCE_DIR} CONFIGURE_DEPENDS ota/*.c)
list(APPEND RIG_SOURCES ${RIG_OTA_SOURCES} ${RIG_BOOT_PURE})
list(REMOVE_DUPLICATES RIG_SOURCES)
list(APPEND RIG_INCLUDES ota boot)

# A linker script through the preprocessor, which brings the numbers of flash_layout.h.
function(rig_preprocess source target)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/generated)
  add_custom_command(OUTPUT ${target}
    COMMAND ${CMAKE_C_COMPILER} -E -P -x c -I${CMAKE_SOURCE_DIR}/ota -I${CMAKE_SOURCE_DIR}/${RIG_BOARD_DIR}
      ${ARGN} ${CMAKE_SOURCE_DIR}/${source} -o ${target}
    DEPENDS ${source} ota/flash_layout.h ${RIG_BOARD_DIR}/shared_ram.ld VERBATIM)
endfunction()

set(generated ${CMAKE_BINARY_DIR}/generated)
rig_preprocess(${RIG_BOARD_DIR}/slot.ld ${generated}/slot-a.ld -DRIG_SLOT_AT=OTA_SLOT_A_AT)
rig_preprocess(${RIG_BOARD_DIR}/slot.ld ${generated}/slot-b.ld -DRIG_SLOT_AT=OTA_SLOT_B_AT)
rig_preprocess(${RIG_BOARD_DIR}/boot_ota.ld ${generated}/boot_ota.ld)
add_custom_target(slot_scripts DEPENDS ${generated}/slot-a.ld ${generated}/slot-b.ld ${generated}/boot_ota.ld)
set(RIG_SLOT_SCRIPT ${generated}/slot-${RIG_SLOT}.ld)

# A version for a slot: every object is the app's but those named, which are compiled again: for the version and
# for the definitions that follow.
function(rig_ladder_step version slot name sources)
  set(target slot-${name}-${slot})
  string(REGEX REPLACE "[^;]*/([^;/]*)\\.c" "\\1" words "${sources}")
  list(JOIN words "|" words)
  add_executable(${target} ${sources} ${COMMANDS_HEADER}
    "$<FILTER:$<TARGET_OBJECTS:app>,EXCLUDE,/(${words})\\.c\\.o>" $<TARGET_OBJECTS:kernel>)
  target_include_directories(${target} SYSTEM PRIVATE ${RIG_KERNEL_DIR}/include ${RIG_KERNEL_PORT_DIR})
  target_include_directories(${target} PRIVATE ${RIG_INCLUDES} platform ${RIG_BOARD_DIR})
  target_link_libraries(${target} PRIVATE ${RIG_LIBRARIES})
  target_compile_definitions(${target} PRIVATE RIG_VERSION="${version}" ${ARGN}
    $<FILTER:$<TARGET_PROPERTY:app,COMPILE_DEFINITIONS>,EXCLUDE,^RIG_VERSION=>
    $<TARGET_PROPERTY:kernel,INTERFACE_COMPILE_DEFINITIONS>)
  target_compile_options(${target} PRIVATE ${RIG_WARNINGS})
  target_link_options(${target} PRIVATE -T${CMAKE_BINARY_DIR}/generated/slot-${slot}.ld
    -L${CMAKE_SOURCE_DIR}/platform -Wl,-Map=slots/${name}-${slot}.map)
  set_target_properties(${target} PROPERTIES SUFFIX .elf OUTPUT_NAME ${name}-${slot}
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/slots
    LINK_DEPENDS "${CMAKE_BINARY_DIR}/generated/slot-${slot}.ld;${CMAKE_SOURCE_DIR}/platform/app_sections.ld")
  add_dependencies(${target} app slot_scripts)
endfunction()

# Images that fail their self-test (ota/self_test_fault.h), for those who ask for the target self_test_faults.
function(rig_self_test_faults version)
  set(files app/identity.c app/cmd_bench.c net/connection_tls.c ota/ota_actions.c ota/ota_task.c)
  add_custom_target(self_test_faults)
  foreach(fault crash_on_boot hang no_network never_confirms confirms_late fault_after_confirm)
    string(TOUPPER "SELF_TEST_${fault}" definition)
    foreach(slot a b)
      rig_ladder_step(${version} ${slot} ${fault} "${files}" RIG_SELF_TEST_FAULT=${definition})
      set_target_properties(slot-${fault}-${slot} PROPERTIES EXCLUDE_FROM_ALL ON)
      add_dependencies(self_test_faults slot-${fault}-${slot})
    endforeach()
  endforeach()
endfunction()

# A bootloader whose self-tests have `ms`.
function(rig_bootloader target ms key)
  add_executable(${target} ${RIG_BOOT_PURE} boot/boot_main.c boot/recovery.c boot/signature.c ${key}
    app/sha256.c net/hex.c protocol/command.c protocol/crc16.c protocol/line.c protocol/request.c
    ${RIG_BOARD_OTA_SOURCES} ${RIG_BOARD_DIR}/boot_board.c)
  target_include_directories(${target} PRIVATE boot ota app net protocol platform ${RIG_BOARD_DIR})
  target_compile_definitions(${target} PRIVATE RIG_BOARD="${RIG_BOARD}" BOOT_WATCHDOG_MS=${ms}u)
  target_compile_options(${target} PRIVATE ${RIG_WARNINGS} -Os)
  target_link_libraries(${target} PRIVATE boot_crypto)
  target_link_options(${target} PRIVATE -T${CMAKE_BINARY_DIR}/generated/boot_ota.ld -Wl,-Map=${target}.map)
  set_target_properties(${target} PROPERTIES SUFFIX .elf LINK_DEPENDS ${CMAKE_BINARY_DIR}/generated/boot_ota.ld)
  add_dependencies(${target} slot_scripts)
endfunction()

function(rig_ota_targets)
  include(boot/crypto.cmake)
  set(key ${CMAKE_BINARY_DIR}/generated/boot_key.c)
  add_custom_command(OUTPUT ${key}
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/boot/key_source.py ${RIG_BOOT_KEY} ${key}
    DEPENDS boot/key_source.py ${RIG_BOOT_KEY} VERBATIM)
  add_library(boot_crypto OBJECT ${boot_crypto_sources})
  target_include_directories(boot_crypto SYSTEM PUBLIC ${MBEDTLS_PATH}/include)
  target_include_directories(boot_crypto PRIVATE boot)
  target_compile_definitions(boot_crypto PUBLIC MBEDTLS_CONFIG_FILE="boot_crypto_config.h")
  target_compile_options(boot_crypto PRIVATE -w "-ffile-prefix-map=${MBEDTLS_PATH}=mbedtls")

  list(POP_FRONT RIG_BOOT_WATCHDOG_MS first)
  rig_bootloader(boot_ota ${first} ${key})
  foreach(ms ${RIG_BOOT_WATCHDOG_MS})
    rig_bootloader(boot_ota-${ms} ${ms} ${key})
  endforeach()
  add_dependencies(app slot_scripts)
  foreach(version ${RIG_LADDER})
    rig_ladder_step(${version} a ${version} "app/identity.c;app/cmd_bench.c")
    rig_ladder_step(${version} b ${version} "app/identity.c;app/cmd_bench.c")
  endforeach()
  list(LENGTH RIG_LADDER count)
  if(count GREATER 1) # the version after the first: an update of it
    list(GET RIG_LADDER 1 version)
    rig_self_test_faults(${version})
  endif()
endfunction()
