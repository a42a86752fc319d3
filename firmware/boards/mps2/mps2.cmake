# SPDX-License-Identifier: MIT
# Arm MPS2 with an application-note image of QEMU's: sources, boot ROM and flash algorithm of all boards of
# that family, which differ in their core alone. Included by the board.cmake of each.
# In: RIG_MPS2_IMAGE, the image's name as in QEMU's machine mps2-<name>; RIG_CPU*, RIG_KERNEL_PORT.
set(RIG_BOARD_DIR boards/mps2)
set(RIG_BOARD_SOURCES boards/mps2/alarm.c boards/mps2/board.c boards/mps2/vectors.c boards/mps2/uart.c)
set(RIG_BOARD_FLASH_SOURCES boards/mps2/flash.c)
set(RIG_BOARD_OTA_SOURCES boards/mps2/nor_flash.c boards/mps2/nor_model.c boards/mps2/watchdog.c)
if(RIG_OTA) # over the model of NOR flash
  set(RIG_BOARD_FLASH_SOURCES ${RIG_BOARD_OTA_SOURCES})
endif()
list(APPEND RIG_BOARD_SOURCES ${RIG_BOARD_FLASH_SOURCES})
set(RIG_BOARD_NETWORK_SOURCES boards/mps2/ethernet.c boards/mps2/uart1.c)

function(rig_board_targets)
  set(here ${CMAKE_SOURCE_DIR}/boards/mps2)

  add_executable(boot boards/mps2/boot_rom.c)
  target_compile_options(boot PRIVATE ${RIG_WARNINGS} -Os)
  target_link_options(boot PRIVATE -T${here}/boot.ld -nostdlib)
  set_target_properties(boot PROPERTIES SUFFIX .elf LINK_DEPENDS ${here}/boot.ld)

  # Position independent because it names no object of its own; -ffreestanding and no loop
  # distribution, because a call to memcpy or memset would leave the section the probe loads.
  set(flm mps2_${RIG_MPS2_IMAGE})
  add_executable(${flm} boards/mps2/flash_algorithm.c)
  target_compile_options(${flm} PRIVATE ${RIG_WARNINGS} -ffreestanding
    -fno-tree-loop-distribute-patterns -fno-function-sections -fno-data-sections)
  target_link_options(${flm} PRIVATE -T${here}/flash_algorithm.ld -nostdlib -Wl,--no-gc-sections)
  set_target_properties(${flm} PROPERTIES SUFFIX .flm LINK_DEPENDS ${here}/flash_algorithm.ld)
endfunction()
