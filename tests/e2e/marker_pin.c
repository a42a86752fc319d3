// SPDX-License-Identifier: MIT
// A logic analyser for an emulated board: a TCG plug-in that writes down, for every store to one
// address, how many instructions the core had executed until then, as 64-bit numbers.
// Arguments: pin=ADDRESS, out=FILE.
#include "qemu_plugin_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_API_VERSION;

static uint64_t s_executed;
static uint64_t s_pin;
static FILE *s_out;

static void on_instruction(unsigned vcpu, void *data)
{
    (void)vcpu;
    (void)data;
    s_executed++;
}

static void on_access(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *data)
{
    (void)vcpu;
    (void)data;
    if (address == s_pin && qemu_plugin_mem_is_store(info)) {
        if (fwrite(&s_executed, sizeof s_executed, 1, s_out) != 1 || fflush(s_out) != 0) {
            abort();
        }
    }
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        qemu_plugin_register_vcpu_insn_exec_cb(insn, on_instruction,
                                               QEMU_PLUGIN_REGISTERS_UNTOUCHED, NULL);
        qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_PLUGIN_REGISTERS_UNTOUCHED,
                                         QEMU_PLUGIN_ACCESSES, NULL);
    }
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "pin=", 4) == 0) {
            s_pin = strtoull(argv[i] + 4, NULL, 0);
        } else if (strncmp(argv[i], "out=", 4) == 0) {
            s_out = fopen(argv[i] + 4, "wb");
        }
    }
    if (s_out == NULL) {
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    return 0;
}
