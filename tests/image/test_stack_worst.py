# SPDX-License-Identifier: MIT
"""Worst-case stacks: frames equal the compiler's own, and what has no bound is named; on real code."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rig.errors import ImageFault, RigError, UsageFault
from rig.image.call_graph import CallGraph
from rig.image.contents import Region
from rig.image.frames import frame_of
from rig.image.machine_code import MachineCode, plain, read_code
from rig.image.stack_notes import (
    CallNote,
    LastNote,
    LevelNote,
    RecursionNote,
    StackNotes,
    TableNote,
    TaskNote,
    find_notes,
    load_notes,
)
from rig.image.stack_worst import HANDLERS, Stacks, stacks_of
from rig.image.static_memory import read_contents
from rig.image.symbols import ElfSymbol
from tests.image.conftest import TINY, compile_elf
from tests.seeds import dice

ROOT = Path(__file__).parents[2]
BUILDS = ROOT / "build" / "firmware"
PRESETS = ("mps2", "mps2-m4", "stm32f4")
EVIDENCE = os.environ.get("RIG_EVIDENCE", "0") not in ("", "0")
NOTES = ROOT / "firmware" / "stacks.toml"

BODY = """
void use(volatile char *at) { *at = 1; }
__attribute__((noinline)) int leaf(int x) { volatile char room[100]; use(room); return x + room[0]; }
__attribute__((noinline)) int middle(int x) { volatile char room[40]; use(room); return leaf(x) + room[0]; }
__attribute__((noinline)) int again(int n)
{ volatile char r[24]; use(r); return n ? again(n - 1) + r[0] : 0; }
__attribute__((noinline)) int sized(int n) { volatile char room[n]; use(room); return room[0]; }
static int first(int x) { return middle(x) + 1; }
static int second(int x) { return x; }
int (*const s_table[])(int) = {first, second};
__attribute__((noinline)) int pointed(int i) { return s_table[i & 1](i) + 1; }
__attribute__((noinline)) int chosen(int i)
{
    switch (i) { case 0: return leaf(1) + 1; case 1: return middle(2) + 2; case 2: return 7; case 3: return 9;
                 case 4: return leaf(3) * 3; case 5: return 4; case 6: return 12; default: return 0; }
}
int task(int i) { return again(i) + sized(i) + pointed(i) + chosen(i); }
"""
PROGRAM = (
    TINY.replace("counter = twice(counter)", "counter = task(counter)")
    .replace(
        "void Reset_Handler",
        BODY.replace("void use", "__attribute__((noinline)) void use") + "void Reset_Handler",
    )
    .replace('int again(int x) __attribute__((alias("twice")));', "")
    .replace("again(1)", "2")
)


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> MachineCode:
    return read_code(compile_elf(tmp_path_factory.mktemp("stacks"), PROGRAM, "-O2"))


def frames_by_compiler(folder: Path) -> dict[str, set[tuple[int, str]]]:
    """Bytes and kind by function from the ``.su`` files of a build."""
    found: dict[str, set[tuple[int, str]]] = {}
    for path in folder.rglob("*.su"):
        for line in path.read_text().splitlines():
            place, size, kind = line.split("\t")
            found.setdefault(place.rsplit(":", 1)[1], set()).add((int(size), kind))
    return found


def before_the_push(code: MachineCode, function: ElfSymbol) -> int:
    """Bytes that a function makes room for before it pushes: registers with arguments, put beside the others.

    The compiler does not count them as its frame.
    """
    for _, _, mnemonic, operands in code.instructions(function):
        if mnemonic == "sub" and operands.startswith("sp, #"):
            return int(operands.removeprefix("sp, #"), 0)
        if mnemonic.startswith(("push", "stmdb", "str")):
            return 0
    return 0


@pytest.mark.parametrize("preset", PRESETS)
def test_frames_are_those_of_the_compiler(preset: str) -> None:
    """Of every function of the board's image; only where assembly pushes does the code know more."""
    code = read_code(BUILDS / preset / "app.elf")
    told = frames_by_compiler(BUILDS / preset / "CMakeFiles")
    differing = {}
    compared = 0
    names = {function.name for function in code.functions}
    for function in code.functions:
        known = told.get(function.name)
        if plain(function.name) not in names:  # a copy of a function that is there itself may not be told of
            known = known or told.get(plain(function.name))
        if known:
            compared += 1
            depth = frame_of(code, function).depth
            if not {depth, depth - before_the_push(code, function)} & {size for size, _ in known}:
                differing[function.name] = (depth, known)
    assert compared > 200
    assert differing == {"PendSV_Handler": (8, {(0, "static")})}  # naked: its pushes are assembly


def test_frames_of_code_that_was_not_optimised(tmp_path: Path) -> None:
    elf = compile_elf(tmp_path, PROGRAM, "-O0", "-fstack-usage")
    code, told = read_code(elf), frames_by_compiler(tmp_path)
    for name in ("leaf", "middle", "again", "pointed", "chosen", "task"):
        function = code.named(name)
        assert function is not None
        assert {size for size, _ in told[name]} == {frame_of(code, function).depth}, name


def descent(
    code: MachineCode, name: str, notes: StackNotes | None = None
) -> tuple[int, tuple[str, ...], set[str]]:
    function = code.named(name)
    assert function is not None
    found = CallGraph(code, notes or StackNotes()).descent(function)
    return found.bytes, found.path, set(found.unbounded)


def test_calls_add_up_along_the_deepest_way(code: MachineCode) -> None:
    leaf, middle = descent(code, "leaf"), descent(code, "middle")
    assert leaf[0] >= 100
    assert middle[0] >= leaf[0] + 40
    assert middle[1][:2] == ("middle", "leaf")
    assert not leaf[2] | middle[2]


def test_a_switch_by_table_is_followed(code: MachineCode) -> None:
    assert descent(code, "chosen")[0] >= descent(code, "middle")[0]
    assert descent(code, "chosen")[2] == set()


def test_what_has_no_bound_is_named(code: MachineCode) -> None:
    assert descent(code, "again")[2] == {"recursion: again > again"}
    assert descent(code, "sized")[2] == {"dynamic stack in sized"}
    assert descent(code, "pointed")[2] == {"call through a pointer in pointed"}
    assert len(descent(code, "task")[2]) == 3


def test_notes_make_it_bounded(code: MachineCode) -> None:
    table = StackNotes(calls=(CallNote(("pointed",), "the table", table=("s_table",)),))
    by_name = StackNotes(calls=(CallNote(("point*",), "both", to=("first", "second")),))
    assert descent(code, "pointed", table) == descent(code, "pointed", by_name)
    assert descent(code, "pointed", table)[0] >= descent(code, "middle")[0]
    assert descent(code, "pointed", table)[2] == set()
    one, five = (
        descent(code, "again", StackNotes(recursions=(RecursionNote("again", times, "a test"),)))
        for times in (1, 5)
    )
    assert (five[0], five[2]) == (5 * one[0], set())


def test_functions_of_a_cycle_have_the_whole_depth_whoever_asks_first(tmp_path: Path) -> None:
    source = TINY + (
        "int odd(int); __attribute__((noinline)) int even(int n) { volatile char r[64]; r[0] = n;"
        " return n ? odd(n - 1) + r[0] : 1; }"
        "__attribute__((noinline)) int odd(int n) { volatile char r[8]; r[0] = n;"
        " return n ? even(n - 1) + r[0] : 0; }"
        "int both(int n) { return even(n) + odd(n); }"
    )
    source = source.replace(
        "void Reset_Handler(void) {", "int both(int); void Reset_Handler(void) { both(3);"
    )
    code = read_code(compile_elf(tmp_path, source, "-O2"))
    notes = StackNotes(recursions=(RecursionNote("even", 1, "a test"),))
    asked_first = descent(code, "odd", notes)[0]
    graph = CallGraph(code, notes)
    even, odd = code.named("even"), code.named("odd")
    assert even is not None
    assert odd is not None
    graph.descent(even)
    assert graph.descent(odd).bytes == asked_first >= 64


def test_a_loop_that_only_pushes_is_named_and_ends(tmp_path: Path) -> None:
    source = TINY + '__attribute__((naked)) void grows(void) { __asm volatile("1: push {r0}\\n b 1b"); }'
    source = source.replace(
        "void Reset_Handler(void) {", "void grows(void); void Reset_Handler(void) { grows();"
    )
    assert descent(read_code(compile_elf(tmp_path, source)), "grows")[2] == {"dynamic stack in grows"}


def test_assembly_without_sizes_is_walked_and_what_is_no_code_is_named(tmp_path: Path) -> None:
    source = TINY + (
        '__asm(".thumb\\n.global runs_on\\n.type runs_on, %function\\nruns_on: push {r0, r1}\\n'
        '.size runs_on, .-runs_on\\n.global bare\\nbare: push {r0-r7}\\n pop {r0-r7}\\n bx lr");'
        '__attribute__((naked)) void calls(void) { __asm volatile("push {lr}\\n bl bare\\n pop {pc}"); }'
        '__attribute__((naked)) void leaves(void) { __asm volatile("bl .+0x100000\\n bx lr"); }'
    )
    source = source.replace(
        "void Reset_Handler(void) {",
        "void calls(void), leaves(void); void Reset_Handler(void) { calls(); leaves();",
    )
    code = read_code(compile_elf(tmp_path, source))
    assert descent(code, "calls") == (4 + 32, ("calls", "bare"), set())
    assert descent(code, "runs_on")[:2] == (8 + 32, ("runs_on", "bare"))
    (reason,) = descent(code, "leaves")[2]
    assert reason.startswith("call of no known function at 0x")


def test_all_notes_on_one_function_hold(code: MachineCode) -> None:
    apart = [CallNote(("pointed",), "a test", to=(name,)) for name in ("second", "first")]
    both = CallNote(("pointed",), "a test", to=("first", "second"))
    found = [descent(code, "pointed", StackNotes(calls=calls)) for calls in (tuple(apart), (both,))]
    assert found[0] == found[1]
    assert "first" in found[0][1]


def test_many_functions_that_all_call_each_other_are_given_up_by_name(tmp_path: Path) -> None:
    names = [f"f{number}" for number in range(14)]
    heads = " ".join(f"int {name}(int);" for name in names)
    bodies = " ".join(
        f"__attribute__((noinline)) int {name}(int n) {{ volatile int r[4]; r[0] = n; return r[0] + "
        + " + ".join(f"{other}(n - 1)" for other in names if other != name)
        + "; }"
        for name in names
    )
    source = (heads + TINY + bodies).replace(
        "void Reset_Handler(void) {", "void Reset_Handler(void) { f0(1);"
    )
    notes = StackNotes(recursions=(RecursionNote("f13", 1, "a test"),))
    reasons = descent(read_code(compile_elf(tmp_path, source)), "f0", notes)[2]
    assert any(reason.startswith("too many calls in circles") for reason in reasons)


def test_a_damaged_image_is_refused_or_read_and_never_a_bug(tmp_path: Path) -> None:
    rng, sound = dice("damaged image"), (BUILDS / "mps2" / "app.elf").read_bytes()
    path, notes = tmp_path / "app.elf", load_notes(NOTES)
    regions = [Region("flash", 0x21000000, 0xFFF000), Region("ram", 0x20000000, 0x400000)]
    for _ in range(200 if EVIDENCE else 8):
        data = bytearray(sound)
        for _ in range(rng.choice((1, 30, 300))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data)
        for use in (lambda: read_contents(path, regions), lambda: stacks_of(path, notes)):
            with suppress(RigError):
                use()


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        (StackNotes(calls=(CallNote(("nobody",), "x", to=("leaf",)),)), "no such function in the image"),
        (StackNotes(calls=(CallNote(("pointed",), "x", to=("lief",)),)), "'lief' matches no function"),
        (
            StackNotes(calls=(CallNote(("pointed",), "x", table=("s_none",)),)),
            "table 's_none' is not one object",
        ),
        (StackNotes(recursions=(RecursionNote("nobody", 2, "x"),)), "'nobody' is no function"),
        (StackNotes(lasts=(LastNote(("nobody",), "x"),)), "'nobody' is no function"),
        (StackNotes(tasks=(TaskNote("T", "nobody"),)), "no function 'nobody'"),
        (StackNotes(tasks=(TaskNote("T", "task", "s_none"),)), "'s_none' is not one object"),
        (StackNotes(tables=(TableNote("s_table", 3, 0, 4, 8),)), "which is not rows of 3"),
        (StackNotes(tables=(TableNote("s_table", 4, 0, 0, 0),)), "has no name or function there"),
    ],
)
def test_notes_that_do_not_fit_the_image_are_refused(code: MachineCode, notes: StackNotes, said: str) -> None:
    with pytest.raises(UsageFault, match=said):
        Stacks(code, notes)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_stack_of_our_firmware_is_bounded_and_large_enough(preset: str) -> None:
    stacks = Stacks(read_code(BUILDS / preset / "app.elf"), load_notes(NOTES))
    found = {stack.name: stack for stack in stacks.all()}
    assert {name: s.unbounded for name, s in found.items() if not s.bounded and not s.measured} == {}
    assert {"IDLE", "Tmr Svc", "console", "bench", HANDLERS} <= found.keys()
    measured = {stack.name for stack in found.values() if stack.measured}
    assert measured == set() if preset == "stm32f4" else {"net.ip", "net.work"} <= measured
    assert all(name.startswith("net.") for name in measured)
    for stack in found.values():
        if not stack.measured:
            assert stack.margin is not None
            assert stack.margin >= 0, stack
        assert stack.static_worst == sum(stack.parts.values())
    # A task that returns ends there: the port's own trap, whose address is on every new stack.
    assert stacks.unreached() == ("prvTaskExitError",)
    assert found["console"].parts["switch"] == 8 * 4


def test_without_a_note_our_pointers_are_unbounded() -> None:
    notes = StackNotes(tasks=(TaskNote("console", "console_task", "s_console_stack"),))
    code = read_code(BUILDS / "mps2" / "app.elf")
    stack = Stacks(code, notes).all()[0]
    assert "call through a pointer in console_task" in stack.unbounded
    assert stack.margin is None
    assert {"command_help", "bench_run_yield_self"} <= set(Stacks(code, notes).unreached())


def test_priorities_and_ends_bound_the_handlers() -> None:
    code, notes = read_code(BUILDS / "mps2" / "app.elf"), load_notes(NOTES)
    loose = replace(notes, lasts=(), levels=())
    worst = [Stacks(code, each).all()[-1].static_worst for each in (loose, notes)]
    assert worst[1] < worst[0]
    one_level = LevelNote(tuple(f.name for f in code.functions if f.name.endswith("andler")))
    flat = replace(notes, levels=(one_level,))
    assert Stacks(code, flat).all()[-1].static_worst < worst[1]


def test_a_pool_of_tasks_has_the_worst_case_of_its_deepest_function() -> None:
    code, notes = read_code(BUILDS / "mps2" / "app.elf"), load_notes(NOTES)
    pool = next(pool for pool in notes.pools if pool.name == "bench.helper")
    whole = {stack.name: stack for stack in Stacks(code, notes).all()}[pool.name]
    each = [
        {stack.name: stack for stack in Stacks(code, replace(notes, pools=(one,))).all()}[pool.name]
        for one in (replace(pool, entries=(entry,)) for entry in ("crew_sleep", "message_task"))
    ]
    stacks = code.object_named(pool.stack)
    assert stacks is not None
    assert whole.size == stacks.size // pool.count
    assert each[0].static_worst < each[1].static_worst <= whole.static_worst


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"entries": ("nobody_*",)}, "no function of the image is called so"),
        ({"stack": "nowhere.c:s_stacks"}, "is not one object of 20 stacks"),
        ({"count": 7}, "is not one object of 7 stacks"),
        ({"count": 0}, "is not one object of 0 stacks"),
    ],
)
def test_a_pool_that_does_not_fit_the_image_is_refused(changed: dict[str, Any], said: str) -> None:
    code, notes = read_code(BUILDS / "mps2" / "app.elf"), load_notes(NOTES)
    pool = replace(notes.pools[0], **changed)
    with pytest.raises(UsageFault, match=said):
        Stacks(code, replace(notes, pools=(pool,)))


def test_an_elf_without_symbols(tmp_path: Path) -> None:
    elf = compile_elf(tmp_path, TINY, "-s")
    with pytest.raises(ImageFault, match="no symbol table"):
        stacks_of(elf, StackNotes())


def test_an_elf_without_a_kernel_has_its_handlers(tiny_elf: Path) -> None:
    (handlers,) = stacks_of(tiny_elf, StackNotes())
    assert (handlers.name, handlers.size, handlers.bounded) == (HANDLERS, None, True)
    assert handlers.path[0] == "Reset_Handler"


def test_notes_beside_the_image_come_first(tmp_path: Path) -> None:
    ours = BUILDS / "mps2" / "app.elf"
    assert find_notes(ours, ROOT) == NOTES
    assert find_notes(tmp_path / "app.elf", ROOT) is None
    (tmp_path / "stacks.toml").write_text("")
    assert find_notes(tmp_path / "app.elf", ROOT) == tmp_path / "stacks.toml"
    assert load_notes(tmp_path / "stacks.toml") == StackNotes("stacks.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[task]]\nname = 'x'", "no 'entry'"),
        ("[[task]]\nname = ''\nentry = 'x'", "'name' is '', expected a text"),
        ("[[task]]\nname = 'x'\nentry = 'y'\nstak = 'z'", "unknown key 'stak'"),
        (
            "[[tasks]]\ntable = 'x'\nrow = -1\nname = 0\nwords = 0\nentry = 0",
            "'row' is -1, expected a number",
        ),
        ("[[call]]\nfrom = ['x']\nwhy = 'y'", "none of 'to', 'table', 'taken_by'"),
        ("[[call]]\nfrom = 'x'\nto = ['y']\nwhy = 'y'", "'from' is 'x', expected a list of texts"),
        ("[[calls]]\nfrom = ['x']", "unknown key 'calls'"),
        ("task = 1", "unknown key 'task'"),
        ("[[recursion]]\nfunction = 'x'\ntimes = true\nwhy = 'z'", "'times' is True"),
        ("nonsense", "toml"),
    ],
)
def test_notes_that_cannot_be_used(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "stacks.toml"
    path.write_text(text)
    with pytest.raises(UsageFault, match=said.replace("[", r"\[")):
        load_notes(path)
