# SPDX-License-Identifier: MIT
# Arm MPS2 with the AN386 image (Cortex-M4), as QEMU's mps2-an386 emulates it. Included by CMakeLists.txt.
set(RIG_MPS2_IMAGE an386)
include(cmake/cortex-m4.cmake)
include(boards/mps2/mps2.cmake)
