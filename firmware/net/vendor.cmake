# SPDX-License-Identifier: MIT
# A vendor's coreMQTT beside our own client: the library `vendor_mqtt`, compiled against the transport_interface.h
# that net/transport.cmake found, so that connection_transport() is what its MQTT_Init() takes.
# In: FREERTOS_LIBRARIES_PATH, a tree with coreMQTT/source/core_mqtt.c somewhere below it; without one this does
#     nothing. A core_mqtt_config.h anywhere below the tree is used; else coreMQTT's own defaults.
file(GLOB_RECURSE vendor_mqtt_files "${FREERTOS_LIBRARIES_PATH}/*core_mqtt.c")
list(FILTER vendor_mqtt_files INCLUDE REGEX "/coreMQTT/source/core_mqtt\\.c$")
if(FREERTOS_LIBRARIES_PATH AND vendor_mqtt_files)
  list(GET vendor_mqtt_files 0 vendor_mqtt_file)
  get_filename_component(vendor_mqtt_dir "${vendor_mqtt_file}" DIRECTORY)
  file(GLOB vendor_mqtt_sources CONFIGURE_DEPENDS "${vendor_mqtt_dir}/*.c")
  file(GLOB_RECURSE vendor_mqtt_config "${FREERTOS_LIBRARIES_PATH}/*core_mqtt_config.h")
  add_library(vendor_mqtt STATIC ${vendor_mqtt_sources})
  target_include_directories(vendor_mqtt SYSTEM PUBLIC "${vendor_mqtt_dir}/include" "${RIG_TRANSPORT_DIR}")
  if(vendor_mqtt_config)
    list(GET vendor_mqtt_config 0 vendor_mqtt_config)
    get_filename_component(vendor_mqtt_config "${vendor_mqtt_config}" DIRECTORY)
    target_include_directories(vendor_mqtt SYSTEM PUBLIC "${vendor_mqtt_config}")
  else()
    target_compile_definitions(vendor_mqtt PUBLIC MQTT_DO_NOT_USE_CUSTOM_CONFIG=1)
  endif()
  target_compile_options(vendor_mqtt PRIVATE -w)
  list(APPEND RIG_LIBRARIES vendor_mqtt)
endif()
