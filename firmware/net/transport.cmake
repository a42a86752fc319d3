# SPDX-License-Identifier: MIT
# Which transport_interface.h the network's clients are compiled against: ours, or that of a vendor's libraries.
# In: FREERTOS_LIBRARIES_PATH (cache variable or environment), a tree with coreMQTT's or coreHTTP's header
#     somewhere below it. Out: the folder of the header that is taken, at the head of RIG_INCLUDES.
set(FREERTOS_LIBRARIES_PATH "$ENV{FREERTOS_LIBRARIES_PATH}" CACHE PATH "FreeRTOS libraries, or empty: none")
set(RIG_TRANSPORT_DIR net/interface)
if(FREERTOS_LIBRARIES_PATH)
  file(GLOB_RECURSE headers "${FREERTOS_LIBRARIES_PATH}/*transport_interface.h")
  list(FILTER headers INCLUDE REGEX "/transport_interface\\.h$")
  # Of several the one of coreMQTT: coreHTTP ships the same one.
  set(preferred ${headers})
  list(FILTER preferred INCLUDE REGEX "/coreMQTT/")
  list(APPEND preferred ${headers})
  if(NOT preferred)
    message(FATAL_ERROR "FREERTOS_LIBRARIES_PATH=${FREERTOS_LIBRARIES_PATH}: no transport_interface.h below it; "
      "expected a folder that holds coreMQTT or coreHTTP")
  endif()
  list(GET preferred 0 header)
  get_filename_component(RIG_TRANSPORT_DIR "${header}" DIRECTORY)
  get_filename_component(RIG_LIBRARIES_DIR "${FREERTOS_LIBRARIES_PATH}" REALPATH)
  add_compile_options("-ffile-prefix-map=${RIG_LIBRARIES_DIR}=libraries")
endif()
list(PREPEND RIG_INCLUDES ${RIG_TRANSPORT_DIR})
