# SPDX-License-Identifier: MIT
# Arm MPS2 with the AN385 image (Cortex-M3), as QEMU emulates it: core flags, sources, boot ROM and
# flash algorithm. Included by CMakeLists.txt.
set(RIG_CPU cortex-m3)
set(RIG_CPU_FLAGS -mcpu=cortex-m3 -mthumb)
set(RIG_KERNEL_PORT GCC/ARM_CM3)
set(RIG_BOARD_SOURCES boards/mps2/board.c boards/mps2/startup.c boards/mps2/uart.c)

function(rig_board_targets)
  set(here ${CMAKE_SOURCE_DIR}/boards/mps2)

  add_executable(boot boards/mps2/boot_rom.c)
  target_compile_options(boot PRIVATE ${RIG_WARNINGS} -Os)
  target_link_options(boot PRIVATE -T${here}/boot.ld -nostdlib)
  set_target_properties(boot PROPERTIES SUFFIX .elf LINK_DEPENDS ${here}/boot.ld)

  # Position independent because it names no object of its own; -ffreestanding and no loop
  # distribution, because a call to memcpy or memset would leave the section the probe loads.
  add_executable(mps2_an385 boards/mps2/flash_algorithm.c)
  target_compile_options(mps2_an385 PRIVATE ${RIG_WARNINGS} -ffreestanding
    -fno-tree-loop-distribute-patterns -fno-function-sections -fno-data-sections)
  target_link_options(mps2_an385 PRIVATE -T${here}/flash_algorithm.ld -nostdlib -Wl,--no-gc-sections)
  set_target_properties(mps2_an385 PROPERTIES SUFFIX .flm LINK_DEPENDS ${here}/flash_algorithm.ld)
endfunction()
