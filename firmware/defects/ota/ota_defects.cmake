# SPDX-License-Identifier: MIT
# Builds of the bootloader and of the update agent with one defect each, by the rules of ../defects.cmake:
# `cmake --build … --target defects` in a build folder with RIG_OTA leaves in defects/<name>/ what differs from
# the sound build and lies there as it lies in the build folder: a bootloader for each time of a self-test, or
# the whole ladder for both slots. `--ota-firmware` takes such a folder. What each defect is stands in
# boot_defects.c and agent_defects.c; which case must fail, in tests/defects/defects_ota.toml. One file is
# compiled for each; all other objects are the sound build's.
#
#   rig_boot_defect(<name> <function>…)    functions of the bootloader that boot_defects.c stands in front of
#   rig_agent_defect(<name> <function>…)   functions of the firmware that agent_defects.c stands in front of
add_custom_target(defects)

# The objects of a defect, compiled with what `like` is compiled with; its name in the parent scope: `objects`.
function(rig_ota_defect_objects name source like)
  string(TOUPPER ${name} macro)
  string(REPLACE - _ macro ${macro})
  set(objects defect-${name})
  add_library(${objects} OBJECT EXCLUDE_FROM_ALL ${source})
  target_include_directories(${objects} SYSTEM PRIVATE ${RIG_KERNEL_DIR}/include ${RIG_KERNEL_PORT_DIR})
  target_include_directories(${objects} PRIVATE $<TARGET_PROPERTY:${like},INCLUDE_DIRECTORIES>)
  target_compile_definitions(${objects} PRIVATE RIG_DEFECT RIG_DEFECT_${macro}
    $<TARGET_PROPERTY:${like},COMPILE_DEFINITIONS>)
  target_compile_options(${objects} PRIVATE -w)
  set(objects ${objects} PARENT_SCOPE)
endfunction()

# <name>/<output>.elf: the objects of `like` and what else it is linked of, with the defect in between.
function(rig_ota_defect_link name output like)
  cmake_parse_arguments(ARG "" "" "OBJECTS;LIBRARIES;WRAP" ${ARGN})
  cmake_path(GET output FILENAME file)
  cmake_path(GET output PARENT_PATH folder)
  set(target defect-${name}-${file})
  add_executable(${target} EXCLUDE_FROM_ALL $<TARGET_OBJECTS:${like}> $<TARGET_OBJECTS:defect-${name}> ${ARG_OBJECTS})
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE C SUFFIX .elf OUTPUT_NAME ${file}
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/defects/${name}/${folder})
  get_target_property(link_options ${like} LINK_OPTIONS)
  list(FILTER link_options EXCLUDE REGEX -Map=)
  list(TRANSFORM ARG_WRAP PREPEND -Wl,--wrap=)
  target_link_options(${target} PRIVATE ${link_options} -Wl,--strip-debug ${ARG_WRAP})
  target_link_libraries(${target} PRIVATE ${ARG_LIBRARIES})
  add_dependencies(${target} slot_scripts)
  add_dependencies(defects ${target})
endfunction()

function(rig_boot_defect name)
  rig_ota_defect_objects(${name} defects/ota/boot_defects.c boot_ota)
  foreach(bootloader ${RIG_BOOTLOADERS})
    rig_ota_defect_link(${name} ${bootloader} ${bootloader} LIBRARIES boot_crypto WRAP ${ARGN})
  endforeach()
endfunction()

function(rig_agent_defect name)
  rig_ota_defect_objects(${name} defects/ota/agent_defects.c app)
  foreach(version ${RIG_LADDER})
    foreach(slot a b)
      rig_ota_defect_link(${name} slots/${version}-${slot} slot-${version}-${slot} OBJECTS
        "$<FILTER:$<TARGET_OBJECTS:app>,EXCLUDE,/(identity|cmd_bench)\\.c\\.o>" $<TARGET_OBJECTS:kernel>
        LIBRARIES ${RIG_LIBRARIES} WRAP ${ARGN})
    endforeach()
  endforeach()
endfunction()

# What the bootloader does not look at.
rig_boot_defect(boot-signature-unchecked signature_holds)
rig_boot_defect(boot-hash-unchecked image_judge)
rig_boot_defect(boot-hash-range image_parse)
rig_boot_defect(boot-length-trusted image_parse)
rig_boot_defect(boot-counter-unchecked slot_policy)
rig_boot_defect(boot-floor-stands floor_raise)
rig_boot_defect(boot-board-unchecked image_judge)
rig_boot_defect(boot-address-unchecked image_judge)
rig_boot_defect(boot-downgrade boot_choose)

# What it does wrong with an image that is to be tried.
rig_boot_defect(boot-revert-forgets trailer_set_tried)
rig_boot_defect(boot-floor-early handover_seal)
rig_boot_defect(boot-confirm-early trailer_set_tried)
rig_boot_defect(boot-watchdog-off platform_watchdog_start)

# What the agent does not look at.
rig_agent_defect(ota-signature-unchecked ota_signature_check)
rig_agent_defect(ota-hash-range ota_signature_check)
rig_agent_defect(ota-downgrade ota_slot_running_version)
rig_agent_defect(ota-wrong-slot ota_job_read)
rig_agent_defect(ota-file-unchecked ota_cloud_block)

# What it does wrong with flash and its marks.
rig_agent_defect(ota-confirm-early ota_task_boot)
rig_agent_defect(ota-magic-first ota_slot_erase)
rig_agent_defect(ota-no-erase ota_slot_erase)
rig_agent_defect(ota-trailer-left flash_erase_range)

# What it loses count of, or says wrong.
rig_agent_defect(ota-resume-offset ota_agent_job_event)
rig_agent_defect(ota-bitmap-off-by-one ota_blocks_missing)
rig_agent_defect(ota-retry-forever ota_agent_silence)
rig_agent_defect(ota-cancel-deaf ota_agent_step)
rig_agent_defect(ota-version-wrong ota_report_write)
rig_agent_defect(ota-success-early ota_report_write)
