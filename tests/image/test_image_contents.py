# SPDX-License-Identifier: MIT
"""Every byte of an image has one owner, and all sums over the owners are the ELF's; on all three boards."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rig.errors import ImageFault
from rig.image.contents import Contents, Region
from rig.image.linker_map import LINKER, Origin, read_map
from rig.image.memory_diff import difference
from rig.image.memory_table import as_json, table_of
from rig.image.static_memory import read_contents
from tests.image.conftest import TINY, compile_elf

BUILDS = Path(__file__).parents[2] / "build" / "firmware"
PRESETS = ("mps2", "mps2-m4", "stm32f4")
MAP = ("-Wl,-Map=app.map", "-save-temps")  # real objects: else their names are temporary ones
REGIONS = [Region("flash", 0, 0x400000), Region("ram", 0x20000000, 0x400000)]


def assert_all_sums_are_the_elf(elf: Path, contents: Contents) -> None:
    printed = subprocess.run(["arm-none-eabi-size", elf], check=True, capture_output=True, text=True).stdout
    sizes = dict(zip(("text", "data", "bss"), map(int, printed.splitlines()[1].split()[:3]), strict=True))
    document = as_json(contents)
    assert {role: document["total"][role] for role in sizes} == sizes
    assert document["total"]["size"] == sum(sizes.values())
    for section in contents.sections:
        parts = [part for part in contents.parts if part.section == section.name]
        assert sum(part.size for part in parts) == section.size
        assert sorted(part.address for part in parts) == [part.address for part in parts]
    kinds = sum(contents.of_kind(kind) for kind in ("symbol", "unattributed", "padding"))
    assert kinds == contents.size
    assert sum(symbol["size"] for symbol in document["symbols"]) == document["total"]["symbols"]
    for region in contents.regions:
        of_libraries = sum(sizes.get(region.name, 0) for sizes in contents.libraries.values())
        of_objects = sum(sizes.get(region.name, 0) for sizes in contents.objects.values())
        fill = contents.libraries.get("(padding)", {}).get(region.name, 0)
        if contents.has_map:
            assert of_libraries == of_objects + fill == region.used
        assert sum(s.get(region.name, 0) for s in contents.sizes(lambda p: p.section).values()) == region.used
    assert table_of(contents).total == sum(row.size for row in table_of(contents).rows)


@pytest.mark.parametrize("preset", PRESETS)
def test_sums_equal_the_elf_on_every_board(preset: str) -> None:
    elf = BUILDS / preset / "app.elf"
    contents = read_contents(elf)
    assert contents.has_map
    assert_all_sums_are_the_elf(elf, contents)
    assert {"kernel", "app", "libc_nano.a"} <= contents.libraries.keys()
    assert (
        contents.objects["kernel", "tasks.c.obj"]
        == contents.sizes(lambda p: "" if p.origin == Origin("kernel", "tasks.c.obj") else None)[""]
    )
    assert {"firmware/app", "kernel"} <= contents.sources.keys()


def test_what_objects_and_symbols_are(tmp_path: Path) -> None:
    elf = compile_elf(tmp_path, TINY, *MAP)
    contents = read_contents(elf, REGIONS)
    assert_all_sums_are_the_elf(elf, contents)
    buffer = next(part for part in contents.symbols if part.symbol == "buffer")
    assert (buffer.size, buffer.regions, buffer.source) == (100, ("ram",), ".")
    counter = next(part for part in contents.symbols if part.symbol == "counter")
    assert counter.regions == ("ram", "flash")
    assert any(library == "libc_nano.a" for library in contents.libraries) is False


def test_long_names_wrap_and_linker_memory_is_named(tmp_path: Path) -> None:
    name = "a_function_whose_section_is_far_too_long_for_the_column_of_the_map"
    more = TINY.replace("twice", name)
    elf = compile_elf(tmp_path, more, "-ffunction-sections", *MAP)
    text = (tmp_path / "app.map").read_text()
    assert f"\n .text.{name}\n " in text
    found = next(part for part in read_contents(elf, REGIONS).symbols if part.symbol == name)
    assert found.origin is not None
    board = read_contents(BUILDS / "mps2" / "app.elf")
    assert board.objects[LINKER, ".handler_stack"] == {"ram": 3072}


def test_merged_strings_are_counted_once(tmp_path: Path) -> None:
    """The map tells the size of strings before the linker merged equal ones."""
    words = ", ".join(f'"word {number % 7}"' for number in range(40))
    elf = compile_elf(
        tmp_path, TINY + f"const char *const words[] = {{{words}}}; "
        'const char *more(void) { return "word 3 and a tail"; }', *MAP, "-fdata-sections",
    )  # fmt: skip
    assert_all_sums_are_the_elf(elf, read_contents(elf, REGIONS))


def test_map_of_another_build_is_refused(tmp_path: Path) -> None:
    elf = compile_elf(tmp_path, TINY, *MAP)
    (tmp_path / "other").mkdir()
    other = TINY.replace("buffer[100]", "buffer[164]")
    compile_elf(tmp_path / "other", other, *MAP)
    with pytest.raises(ImageFault, match=r"another build.*section \.bss is 100 bytes.*in the map 164"):
        read_contents(elf, REGIONS, tmp_path / "other" / "app.map")


def test_map_of_the_same_sizes_is_told_by_its_symbols(tmp_path: Path) -> None:
    first = TINY + "int one(void) { return 1; } int two(void) { return 2; }"
    second = TINY + "int two(void) { return 2; } int one(void) { return 1; }"
    for folder, source in (("a", first), ("b", second)):
        (tmp_path / folder).mkdir()
        compile_elf(tmp_path / folder, source, *MAP)
    with pytest.raises(ImageFault, match=r"one is at 0x\w{8}, in the map at 0x\w{8}"):
        read_contents(tmp_path / "a" / "app.elf", REGIONS, tmp_path / "b" / "app.map")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"no map\n", "no linker map of GNU ld"),
        (b"\nLinker script and memory map\n\nLOAD a.o\n", "cut off"),
        (bytes(range(256)) * 40, "no linker map of GNU ld"),
    ],
)
def test_what_is_no_map(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "app.map"
    path.write_bytes(content)
    with pytest.raises(ImageFault, match=said):
        read_map(path)


def test_a_map_cut_anywhere_is_refused(tmp_path: Path) -> None:
    text = (BUILDS / "mps2" / "app.map").read_bytes()
    end = text.index(b"\nOUTPUT(")
    part = tmp_path / "part.map"
    for cut in range(1, end, end // 12):
        part.write_bytes(text[:cut])
        with pytest.raises(ImageFault, match=r"cut off|no linker map"):
            read_map(part)


def test_without_symbols_map_and_debug_information(tmp_path: Path) -> None:
    elf = compile_elf(tmp_path, TINY)
    subprocess.run(["arm-none-eabi-strip", elf], check=True)
    contents = read_contents(elf, REGIONS)
    assert_all_sums_are_the_elf(elf, contents)
    assert (contents.has_symbols, contents.has_map, contents.symbols) == (False, False, [])
    assert contents.of_kind("unattributed") == contents.size
    said = "\n".join(contents.notes)
    for what in ("no symbol table", "no app.map", "no debug information", "no build id"):
        assert what in said


def test_build_id_is_named(tmp_path: Path) -> None:
    script = "SECTIONS { .note.gnu.build-id : { *(.note.gnu.build-id) } } INSERT AFTER .text;"
    (tmp_path / "note.ld").write_text(script)
    elf = compile_elf(tmp_path, TINY, "-Wl,--build-id=sha1", "-Wl,-T,note.ld")
    contents = read_contents(elf, REGIONS)
    assert contents.build_id is not None
    assert len(contents.build_id) == 40
    printed = subprocess.run(["arm-none-eabi-readelf", "-n", elf], check=True, capture_output=True, text=True)
    assert f"Build ID: {contents.build_id}" in printed.stdout
    assert_all_sums_are_the_elf(elf, contents)


def test_no_regions_anywhere(tiny_elf: Path) -> None:
    with pytest.raises(ImageFault, match=r"no memory regions.*__flash_start"):
        read_contents(tiny_elf)


@pytest.mark.parametrize("name", ["app.bin", "app.map"])
def test_what_is_no_elf(name: str) -> None:
    with pytest.raises(ImageFault):
        read_contents(BUILDS / "mps2" / name, REGIONS)


def test_difference_sums_to_the_totals_and_names_each_change(tmp_path: Path) -> None:
    changed = (
        TINY.replace("buffer[100]", "buffer[140]").replace("kept[4]", "kept[2]") + "int came[6] = {1};\n"
    ).replace("int counter = 7;", "int counter = 7; static char lone[16]; char *alone(void) { return lone; }")
    tables = []
    for folder, source in (("a", TINY), ("b", changed)):
        (tmp_path / folder).mkdir()
        elf = compile_elf(tmp_path / folder, source, *MAP)
        tables.append(table_of(read_contents(elf, REGIONS)))
    found = difference(*tables)
    assert sum(change.delta for change in found.changes) == found.delta == tables[1].total - tables[0].total
    verbs = {change.name: (change.verb, change.delta) for change in found.changes}
    assert verbs["buffer"] == ("grown", 40)
    assert verbs["kept"] == ("shrunk", -8)
    assert verbs["came"] == ("new", 24)
    back = {change.name: (change.verb, change.delta) for change in difference(*reversed(tables)).changes}
    assert back["came"] == ("gone", -24)
    assert difference(tables[0], tables[0]).changes == ()


def test_a_symbol_that_moves_to_another_object(tmp_path: Path) -> None:
    helper = "int helper(int x) { return x * 3; }\n"
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "more.c").write_text(helper)
    (tmp_path / "a" / "more.c").write_text("int unrelated;\n")
    one = compile_elf(tmp_path / "a", TINY + helper, "more.c", *MAP)
    two = compile_elf(tmp_path / "b", TINY + "int unrelated;\n", "more.c", *MAP)
    found = difference(*(table_of(read_contents(elf, REGIONS)) for elf in (one, two)))
    moved = {change.name for change in found.changes if change.verb == "moved"}
    assert {"helper", "unrelated"} <= moved
    assert sum(change.delta for change in found.changes) == found.delta
