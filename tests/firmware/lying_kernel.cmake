# SPDX-License-Identifier: MIT
# A firmware whose kernel lies: CMAKE_PROJECT_rig_firmware_INCLUDE of its build. Puts lying_kernel.c between the
# firmware and the functions it names, and changes nothing else.
set(LYING_KERNEL ${CMAKE_CURRENT_LIST_DIR}/lying_kernel.c CACHE INTERNAL "")

function(lying_kernel_add)
  target_sources(app PRIVATE ${LYING_KERNEL})
  file(STRINGS ${LYING_KERNEL} lies REGEX "^LIE\\(")
  foreach(lie ${lies})
    string(REGEX REPLACE "^LIE\\([^,]*, *([A-Za-z]+),.*" "\\1" name "${lie}")
    target_link_options(app PRIVATE -Wl,--wrap=${name})
  endforeach()
endfunction()

cmake_language(DEFER CALL lying_kernel_add)
