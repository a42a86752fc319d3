# SPDX-License-Identifier: MIT
# Core flags and kernel port of a Cortex-M4 with a single-precision FPU. Out: RIG_CPU, RIG_CPU_FLAGS.
# The kernel port decides about floating point: GCC/ARM_CM3 saves no FPU registers at a switch of tasks, so
# nothing may use them. Kernel V9.0.0 as fetched here has that port only.
set(RIG_KERNEL_PORT GCC/ARM_CM3 CACHE STRING
  "Kernel port: GCC/ARM_CM3 (soft float) or GCC/ARM_CM4F (hard float)")
set(RIG_CPU cortex-m4)
if(RIG_KERNEL_PORT STREQUAL GCC/ARM_CM3)
  set(RIG_CPU_FLAGS -mcpu=cortex-m4 -mthumb -mfloat-abi=soft)
elseif(RIG_KERNEL_PORT STREQUAL GCC/ARM_CM4F)
  set(RIG_CPU_FLAGS -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16)
else()
  message(FATAL_ERROR "RIG_KERNEL_PORT=${RIG_KERNEL_PORT}: must be GCC/ARM_CM3 or GCC/ARM_CM4F on this core")
endif()
