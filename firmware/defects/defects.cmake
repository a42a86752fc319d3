# SPDX-License-Identifier: MIT
# Builds of the firmware with one defect each, to prove that the suites find it: `cmake --build … --target
# defects` leaves defects/<name>.elf beside app.elf. What each defect is stands in defects.h (macros of the
# kernel) and defects.c (functions of the kernel or the firmware, wrapped by the linker); which case must fail
# stands in tests/defects/defects*.toml. A variant shares every object of the sound build but those it replaces.
#
#   rig_defect(<name> [WRAP <function>…] [REPLACE <source>…])
#     WRAP     functions that defects.c stands in front of
#     REPLACE  sources compiled anew with RIG_DEFECT and RIG_DEFECT_<NAME> defined
add_custom_target(defects)

function(rig_defect name)
  cmake_parse_arguments(ARG "" "" "WRAP;REPLACE" ${ARGN})
  string(TOUPPER ${name} macro)
  string(REPLACE - _ macro ${macro})
  set(target defect-${name})
  set(replaced app/identity.c ${ARG_REPLACE}) # the banner says which defect it is
  set(app_names "")
  set(kernel_names "^$") # none
  foreach(source ${replaced})
    string(REPLACE . \\. file ${source})
    if(IS_ABSOLUTE ${source})
      list(APPEND kernel_names ${file})
    else()
      list(APPEND app_names ${file})
    endif()
  endforeach()
  list(JOIN app_names | app_names)
  list(JOIN kernel_names | kernel_names)

  file(GLOB sources RELATIVE ${CMAKE_SOURCE_DIR} CONFIGURE_DEPENDS defects/*.c)
  add_executable(${target} EXCLUDE_FROM_ALL ${sources} ${replaced} ${COMMANDS_HEADER}
    "$<FILTER:$<TARGET_OBJECTS:app>,EXCLUDE,/(${app_names})\\.o>"
    "$<FILTER:$<TARGET_OBJECTS:kernel>,EXCLUDE,(${kernel_names})\\.o>")
  target_include_directories(${target} SYSTEM PRIVATE
    ${RIG_KERNEL_DIR}/include ${RIG_KERNEL_PORT_DIR})
  target_include_directories(${target} PRIVATE defects ${RIG_INCLUDES} platform ${RIG_BOARD_DIR})
  target_link_libraries(${target} PRIVATE ${RIG_LIBRARIES})
  target_compile_definitions(${target} PRIVATE RIG_DEFECT RIG_DEFECT_${macro}
    $<FILTER:$<TARGET_PROPERTY:app,COMPILE_DEFINITIONS>,EXCLUDE,^RIG_VERSION=>
    $<TARGET_PROPERTY:kernel,INTERFACE_COMPILE_DEFINITIONS>
    RIG_VERSION="${PROJECT_VERSION}+defect.${name}")
  target_compile_options(${target} PRIVATE -w -include defects.h)
  list(TRANSFORM ARG_WRAP PREPEND -Wl,--wrap=)
  get_target_property(link_options app LINK_OPTIONS)
  list(FILTER link_options EXCLUDE REGEX -Map=)
  target_link_options(${target} PRIVATE ${link_options} ${ARG_WRAP} -Wl,-Map=defects/${name}.map)
  set_target_properties(${target} PROPERTIES SUFFIX .elf OUTPUT_NAME ${name}
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/defects)
  add_dependencies(${target} app)
  add_dependencies(defects ${target})
endfunction()

get_target_property(bench_sources app SOURCES)
list(FILTER bench_sources INCLUDE REGEX "^bench/")

# A few instructions more: only a comparison with the sound build can tell.
rig_defect(switch-nop REPLACE ${RIG_KERNEL_DIR}/tasks.c)
rig_defect(send-nop REPLACE ${RIG_KERNEL_DIR}/queue.c)
rig_defect(malloc-slow REPLACE ${heap_source})
rig_defect(tick-slow REPLACE ${RIG_KERNEL_DIR}/tasks.c)

# Primitives that do not do what they say.
rig_defect(lost-wakeup WRAP vTaskNotifyGiveFromISR)
rig_defect(no-inheritance WRAP vTaskPriorityInherit)
rig_defect(tick-missed WRAP xTaskIncrementTick)
rig_defect(heap-leak WRAP vPortFree)
rig_defect(stack-overuse WRAP command_ping)
rig_defect(queue-drop WRAP xQueueGenericSend)
rig_defect(queue-lifo WRAP xQueueGenericSend)
rig_defect(queue-bit-flip WRAP xQueueGenericReceive)
rig_defect(timer-late WRAP xTimerGenericCommand)
rig_defect(delay-long WRAP vTaskDelayUntil)
rig_defect(masked-long REPLACE ${RIG_KERNEL_DIR}/queue.c)
rig_defect(event-lost WRAP xEventGroupSetBits)
rig_defect(recursive-early WRAP xQueueGiveMutexRecursive)
rig_defect(resume-lost WRAP vTaskResume)
rig_defect(priority-ignored WRAP vTaskPrioritySet)
rig_defect(heap-lies WRAP xPortGetFreeHeapSize)
rig_defect(erase-short WRAP platform_flash_erase)

# Instruments that deceive.
rig_defect(counter-unit REPLACE app/cmd_bench.c)
rig_defect(counter-first WRAP bench_keep REPLACE bench/bench_calibrate.c bench/bench_local.c
  bench/bench_runner.c bench/bench_sched.c bench/bench_wake.c)
rig_defect(counter-still REPLACE ${bench_sources} boards/mps2/board.c)
rig_defect(tick-untold WRAP vApplicationTickHook)

if(RIG_NETWORK) # those of the network, a file for each part of it
  file(GLOB more CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/defects_*.cmake)
  foreach(file ${more})
    include(${file})
  endforeach()
endif()
