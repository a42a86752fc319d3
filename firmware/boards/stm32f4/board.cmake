# SPDX-License-Identifier: MIT
# STM32F405 (Cortex-M4, 168 MHz); QEMU's netduinoplus2 emulates it. Included by CMakeLists.txt.
include(cmake/cortex-m4.cmake)
set(RIG_BOARD_SOURCES boards/stm32f4/alarm.c boards/stm32f4/board.c boards/stm32f4/clock.c boards/stm32f4/counter.c
  boards/stm32f4/flash.c boards/stm32f4/flash_sectors.c
  boards/stm32f4/usart.c boards/stm32f4/vectors.c)
