# SPDX-License-Identifier: MIT
"""Building: real CMake on a project of a few lines, which leaves the files that the firmware leaves."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from rig.errors import ToolFault, UsageFault
from rig.image.build import BuiltFirmware, Variant, build, main

OUTPUTS = "app.elf app.bin app.map"
CMAKE = f"""
cmake_minimum_required(VERSION 3.25)
project(fake LANGUAGES NONE)
foreach(name {OUTPUTS.replace(" ", ";")})
  string(REPLACE "." "_" target ${{name}})
  add_custom_command(OUTPUT ${{name}} DEPENDS make.sh VERBATIM
    COMMAND sh ${{CMAKE_SOURCE_DIR}}/make.sh ${{name}} ${{FREERTOS_KERNEL_PATH}} "${{EXTRA}}")
  add_custom_target(${{target}} ALL DEPENDS ${{name}})
endforeach()
"""
PRESETS = """{ "version": 6, "configurePresets": [
  { "name": "base", "hidden": true },
  { "name": "mps2", "generator": "Ninja", "binaryDir": "${sourceDir}/../build/firmware/${presetName}" }] }"""


class Project:
    """A project folder with a firmware of five files, and what the last build said."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.said: list[str] = []
        self.environ = {**os.environ, "FREERTOS_KERNEL_PATH": str(self.kernel("kernel"))}
        self.write("CMakeLists.txt", CMAKE)
        self.write("CMakePresets.json", PRESETS)
        self.write("make.sh", 'echo "$2" >"$1"')

    def kernel(self, name: str) -> Path:
        (self.root / name / "include").mkdir(parents=True)
        (self.root / name / "include" / "FreeRTOS.h").touch()
        (self.root / name / "include" / "task.h").write_text('#define tskKERNEL_VERSION_NUMBER "V9.0.0"\n')
        for source in ("tasks.c", "queue.c", "list.c", "timers.c", "event_groups.c"):
            (self.root / name / source).touch()
        return self.root / name

    def write(self, name: str, text: str) -> None:
        (self.root / "firmware").mkdir(exist_ok=True)
        (self.root / "firmware" / name).write_text(text)

    def build(self, preset: str = "mps2", variant: Variant | None = None) -> BuiltFirmware:
        self.said.clear()
        say = self.said.append
        return build(preset, project_root=self.root, environ=self.environ, say=say, variant=variant)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_builds_and_names_the_outputs(project: Project) -> None:
    built = project.build()
    folder = project.root / "build/firmware/mps2"
    names = [built.elf, built.binary, built.map]
    assert names == [folder / name for name in OUTPUTS.split()]
    assert all(path.is_file() for path in names)
    assert (built.preset, len(project.said)) == ("mps2", 1)


def test_a_build_with_nothing_to_do_is_quick_and_silent(project: Project) -> None:
    before = project.build().elf.stat().st_mtime_ns
    quickest = 9.0
    for _ in range(3):
        started = time.monotonic()
        assert project.build().elf.stat().st_mtime_ns == before
        quickest = min(quickest, time.monotonic() - started)
        assert project.said == []
    assert quickest < 0.3


def test_a_changed_source_is_built_without_configuring(project: Project) -> None:
    project.build()
    project.write("make.sh", 'echo changed >"$1"')
    assert project.build().elf.read_text() == "changed\n"
    assert project.said == []


def test_another_kernel_or_preset_file_configures_again(project: Project) -> None:
    project.build()
    other = project.kernel("other")
    project.environ["FREERTOS_KERNEL_PATH"] = str(other)
    assert project.build().elf.read_text() == f"{other}\n"
    project.write("CMakePresets.json", PRESETS + "\n")
    project.build()
    assert len(project.said) == 1


def test_a_variant_has_a_build_folder_of_its_own(project: Project) -> None:
    project.write("make.sh", 'echo "extra $3" >"$1"')
    plain, other = project.build(), project.build(variant=Variant("odd", {"EXTRA": "A=1;B=2"}))
    assert other.elf == project.root / "build/firmware/mps2-odd/app.elf"
    assert (plain.elf.read_text(), other.elf.read_text()) == ("extra \n", "extra A=1;B=2\n")
    project.build(variant=Variant("odd", {"EXTRA": "A=1;B=2"}))
    assert project.said == []
    assert project.build(variant=Variant("odd", {"EXTRA": "C"})).elf.read_text() == "extra C\n"


def test_a_kernel_that_is_too_old_is_refused_before_anything_is_configured(project: Project) -> None:
    old = project.kernel("old")
    (old / "include/task.h").write_text('#define tskKERNEL_VERSION_NUMBER "V8.2.3"\n')
    project.environ["FREERTOS_KERNEL_PATH"] = str(old)
    with pytest.raises(UsageFault, match=r"is V8\.2\.3; V9\.0\.0 or later is needed"):
        project.build()
    assert not (project.root / "build/firmware/mps2").exists()


def test_a_failed_build_shows_its_last_lines_and_the_log(project: Project) -> None:
    project.write("make.sh", "echo main.c:7: error: no such thing; exit 1")
    with pytest.raises(ToolFault, match=r"main\.c:7: error: no such thing") as caught:
        project.build()
    assert caught.value.evidence == str(project.root / "build/firmware/mps2.log")
    assert "main.c:7" in Path(caught.value.evidence).read_text()


def test_a_failed_configuration_is_tried_again(project: Project) -> None:
    project.write("CMakeLists.txt", 'message(FATAL_ERROR "no such board")')
    for _ in range(2):
        with pytest.raises(ToolFault, match="no such board"):
            project.build()
    project.write("CMakeLists.txt", CMAKE)
    assert project.build().elf.is_file()


def test_an_output_that_is_missing_is_named(project: Project) -> None:
    project.write("make.sh", 'test "$1" = app.map || echo x >"$1"')
    with pytest.raises(ToolFault, match=r"the build of mps2 left no app\.map"):
        project.build()


def test_an_unknown_preset_lists_those_there_are(project: Project) -> None:
    with pytest.raises(UsageFault, match=r"no firmware preset 'stm32'; there are: mps2$"):
        project.build("stm32")
    with pytest.raises(UsageFault, match=r"there are: mps2$"):
        project.build("base")


def test_presets_that_cannot_be_read_are_named(project: Project) -> None:
    project.write("CMakePresets.json", "{")
    with pytest.raises(UsageFault, match=r"CMakePresets\.json: cannot be read"):
        project.build()


def test_a_missing_cmake_is_a_tool_fault(project: Project) -> None:
    project.environ["PATH"] = str(project.root)
    with pytest.raises(ToolFault, match=r"missing: cmake, ninja, arm-.*apt-get install cmake ninja-build"):
        project.build()


def test_the_command_prints_the_elf_and_maps_faults_to_exit_codes(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FREERTOS_KERNEL_PATH", project.environ["FREERTOS_KERNEL_PATH"])
    root = ["--project-root", str(project.root)]
    assert main(["mps2", *root]) == 0
    assert capsys.readouterr().out == f"{project.root}/build/firmware/mps2/app.elf\n"
    assert main(["nope", *root]) == 2
    project.write("make.sh", "exit 1")
    assert main(["mps2", *root]) == 3
    assert "failed with exit code 1" in capsys.readouterr().err
