# SPDX-License-Identifier: MIT
# Arm MPS2 with the AN385 image (Cortex-M3), as QEMU's mps2-an385 emulates it. Included by CMakeLists.txt.
set(RIG_MPS2_IMAGE an385)
set(RIG_CPU cortex-m3)
set(RIG_CPU_FLAGS -mcpu=cortex-m3 -mthumb)
set(RIG_KERNEL_PORT GCC/ARM_CM3)
include(boards/mps2/mps2.cmake)
