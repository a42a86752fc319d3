// SPDX-License-Identifier: MIT
// The functions of QEMU's TCG plug-in interface (version 1) that instruction_count.c uses, declared
// here because no package of QEMU 7.2 brings its header. QEMU resolves them when it loads the
// plug-in.
#ifndef QEMU_PLUGIN_API_H
#define QEMU_PLUGIN_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QEMU_PLUGIN_EXPORT __attribute__((visibility("default")))

enum { QEMU_PLUGIN_API_VERSION = 1 };
enum { QEMU_PLUGIN_REGISTERS_UNTOUCHED = 0 }; // what a callback may do with the core's registers
// Which accesses a memory callback is for. All: QEMU 7.2 tells no loads to who asks for loads
// alone.
enum { QEMU_PLUGIN_ACCESSES = 3 };

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
typedef struct qemu_info qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;

// Called by QEMU with the "name=value" arguments of -plugin; not 0: QEMU does not start.
QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                           char **argv);

// A block of code is about to be translated; its instructions are given callbacks there.
typedef void (*qemu_plugin_translate_t)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_translate_t call);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

// Before each execution of an instruction.
typedef void (*qemu_plugin_execute_t)(unsigned vcpu, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                            qemu_plugin_execute_t call, int registers, void *data);

// Behind each access to memory of an instruction.
typedef void (*qemu_plugin_access_t)(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address,
                                     void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, qemu_plugin_access_t call,
                                      int registers, int accesses, void *data);
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(qemu_plugin_meminfo_t info, uint64_t address);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *place);

#endif
