// SPDX-License-Identifier: MIT
// A TCG plug-in of QEMU: which instructions the core executed in every sample of a benchmark.
//
// It knows the samples by the marks of the image (firmware/bench/bench.h) and never looks at the
// counter's value, at the guest's memory or at its clock. The guest cannot see it: an instruction
// that is watched counts as one, and takes the same time of the guest, as one that is not.
//
// Arguments: marks=FILE, pairs of 32-bit words: address and kind, as the image has them;
//            out=FILE, made anew; for each sample a record of 32-bit words: what it is, how many
//            addresses follow, and the addresses of the instructions, in order, behind the load
//            that began the sample up to and including the one that ended it.
#include "qemu_plugin_api.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MARK_BEGAN = 1, MARK_ENDS, MARK_ENDED, MARK_KEPT };
enum { RECORD_NOT_KEPT, RECORD_KEPT, RECORD_NO_SAMPLE, RECORD_TOO_LONG };
enum { RING = 1 << 22, LOADS = 8, NEAR = 48 }; // NEAR: bytes of code between a mark and its load

typedef struct {
    uint32_t address;
    uint32_t kind;
} mark_words_t;

typedef struct {
    mark_words_t is;
    bool waits; // it was passed, and its load is still to come
} mark_t;

typedef struct {
    uint32_t address;
    uint64_t at; // number of the instruction
} load_t;

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_API_VERSION;

static mark_t *s_marks;
static size_t s_mark_count;
static int s_out = -1;

static uint32_t s_ring[RING]; // addresses of the instructions executed last
static uint64_t s_executed;
static load_t s_loads[LOADS]; // loads from devices near marks, executed last
static size_t s_loaded;
static uint64_t s_begin; // numbers of the instructions of the sample being taken; 0: none
static uint64_t s_end;
static uint64_t s_written; // end of the sample written last

static void write_words(const uint32_t *words, size_t count)
{
    const char *bytes = (const char *)words;
    size_t left = count * sizeof *words;
    while (left > 0) {
        ssize_t done = write(s_out, bytes, left);
        if (done <= 0) {
            perror("instruction_count: writing");
            abort(); // half a record would be taken for a sample
        }
        bytes += done;
        left -= (size_t)done;
    }
}

static void write_record(uint32_t what, uint64_t first, uint64_t behind)
{
    const uint32_t head[] = {what, (uint32_t)(behind - first)};
    write_words(head, 2);
    while (first < behind) {
        uint64_t end = (first / RING + 1) * RING;
        end = end < behind ? end : behind;
        write_words(&s_ring[first % RING], (size_t)(end - first));
        first = end;
    }
}

static bool is_complete(void)
{
    return s_begin != 0 && s_end > s_begin && s_end != s_written;
}

static void write_sample(uint32_t what)
{
    if (s_executed - s_begin > RING) {
        write_record(RECORD_TOO_LONG, 0, 0);
    } else {
        write_record(what, s_begin + 1, s_end + 1);
    }
    s_written = s_end;
}

// The load from a device that was executed last before `mark`, in the code just before it; 0: none.
static uint64_t load_before(const mark_t *mark)
{
    for (size_t i = 0; i < LOADS && i < s_loaded; i++) {
        const load_t *load = &s_loads[(s_loaded - 1 - i) % LOADS];
        if (load->address < mark->is.address && load->address + NEAR >= mark->is.address) {
            return load->at;
        }
    }
    return 0;
}

// A loop may come back to a mark without a new load: that is no new sample.
static void sample_begins(uint64_t at)
{
    if (at == 0 || at == s_begin) {
        return;
    }
    if (is_complete()) {
        write_sample(RECORD_NOT_KEPT);
    }
    s_begin = at;
    s_end = 0;
}

static void on_mark(unsigned vcpu, void *data)
{
    mark_t *mark = data;
    (void)vcpu;
    if (mark->is.kind == MARK_BEGAN) {
        sample_begins(load_before(mark));
    } else if (mark->is.kind == MARK_ENDS) {
        mark->waits = true;
    } else if (mark->is.kind == MARK_ENDED) {
        s_end = load_before(mark);
    } else if (is_complete()) {
        write_sample(RECORD_KEPT);
    } else {
        write_record(RECORD_NO_SAMPLE, 0, 0);
    }
}

static void on_instruction(unsigned vcpu, void *data)
{
    (void)vcpu;
    s_ring[++s_executed % RING] = (uint32_t)(uintptr_t)data;
}

static void on_load(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t from, void *data)
{
    (void)vcpu;
    const struct qemu_plugin_hwaddr *place = qemu_plugin_get_hwaddr(info, from);
    uint32_t address = (uint32_t)(uintptr_t)data;
    if (qemu_plugin_mem_is_store(info) || place == NULL || !qemu_plugin_hwaddr_is_io(place)) {
        return;
    }
    s_loads[s_loaded++ % LOADS] = (load_t){address, s_executed};
    for (size_t i = 0; i < s_mark_count; i++) {
        mark_t *mark = &s_marks[i];
        if (mark->waits && address >= mark->is.address && address < mark->is.address + NEAR) {
            s_end = s_executed;
            mark->waits = false;
        }
    }
}

static bool is_near_mark(uint32_t address)
{
    for (size_t i = 0; i < s_mark_count; i++) {
        uint32_t at = s_marks[i].is.address;
        if (address + NEAR >= at && address < at + NEAR) {
            return true;
        }
    }
    return false;
}

static void watch_instruction(struct qemu_plugin_insn *insn)
{
    uint32_t address = (uint32_t)qemu_plugin_insn_vaddr(insn);
    void *data = (void *)(uintptr_t)address;
    for (size_t i = 0; i < s_mark_count; i++) {
        if (s_marks[i].is.address == address) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, QEMU_PLUGIN_REGISTERS_UNTOUCHED,
                                                   &s_marks[i]);
        }
    }
    qemu_plugin_register_vcpu_insn_exec_cb(insn, on_instruction, QEMU_PLUGIN_REGISTERS_UNTOUCHED,
                                           data);
    if (is_near_mark(address)) {
        qemu_plugin_register_vcpu_mem_cb(insn, on_load, QEMU_PLUGIN_REGISTERS_UNTOUCHED,
                                         QEMU_PLUGIN_ACCESSES, data);
    }
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        watch_instruction(qemu_plugin_tb_get_insn(tb, i));
    }
}

static int read_marks(const char *path)
{
    FILE *file = fopen(path, "rb");
    mark_words_t words;
    if (file == NULL) {
        return -1;
    }
    while (fread(&words, sizeof words, 1, file) == 1) {
        s_marks = realloc(s_marks, (s_mark_count + 1) * sizeof *s_marks);
        if (s_marks == NULL) {
            abort();
        }
        s_marks[s_mark_count++] = (mark_t){words, false};
    }
    (void)fclose(file);
    return 0;
}

static const char *value_of(const char *argument, const char *name)
{
    size_t length = strlen(name);
    return strncmp(argument, name, length) == 0 ? argument + length : NULL;
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    int bad = 0;
    (void)info;
    for (int i = 0; i < argc; i++) {
        const char *marks = value_of(argv[i], "marks=");
        const char *out = value_of(argv[i], "out=");
        if (marks != NULL) {
            bad |= read_marks(marks);
        } else if (out != NULL) {
            s_out = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
        }
    }
    if (bad != 0 || s_out < 0 || s_mark_count == 0) {
        (void)fprintf(stderr, "instruction_count: marks= and out= must name files it can use\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    return 0;
}
