# SPDX-License-Identifier: MIT
"""The rules that hold for every file: a licence line, nothing of one machine, links that lead somewhere."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import LONG

ROOT = Path(__file__).parents[1]
SPDX = "SPDX-License-Identifier: MIT"
SOURCES = {
    *(
        ".c",
        ".h",
        ".S",
        ".ld",
        ".cmake",
        ".py",
        ".pyi",
        ".sh",
        ".js",
        ".css",
        ".html",
        ".j2",
        ".toml",
        ".yaml",
    ),
    *(".yml", ".mk", ".proto", ".sql"),
}
SOURCE_NAMES = {"CMakeLists.txt", "Makefile"}
GENERATED = {"requirements.lock"}  # hosts and hashes are pip's; it has no author

# Patterns that do not match their own text.
MACHINE_PATH = re.compile(r"(?<![\w.~$}>-])/(?:work|tmp|root|home|Users)/[\w.-]+")
REGISTRY_HOST = re.compile(
    r"(?:pypi|pythonhosted|npmjs|debian|ubuntu|docker|ghcr|quay|crates|conda|anaconda)\.(?:org|io|com)\b"
    r"|--(?:extra-)?index-url|--find[-]links",
    re.IGNORECASE,
)
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)|!\[[^\]]*\]\(([^)\s]+)\)")


def tracked(root: Path) -> list[Path]:
    """The files that git has, or would have after ``git add``."""
    argv = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(argv, capture_output=True, check=True).stdout.decode()
    return [path for name in listed.split("\0") if name and (path := root / name).is_file()]


def unlicensed(paths: list[Path]) -> list[str]:
    """The source files without the licence line among their first three lines."""
    return [str(path) for path in paths if _is_source(path) and SPDX not in "".join(_head(path))]


def _is_source(path: Path) -> bool:
    named = path.suffix in SOURCES or path.name in SOURCE_NAMES
    return named or (not path.suffix and "".join(_head(path)).startswith("#!"))


def _head(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines(keepends=True)[:3]


def matches(paths: list[Path], pattern: re.Pattern[str]) -> list[str]:
    """Each match in a text file, as ``file:line: what``."""
    return [
        f"{path}:{number}: {found.group()}"
        for path in paths
        if path.name not in GENERATED and b"\0" not in path.read_bytes()[:8192]
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        for found in pattern.finditer(line)
    ]


def dead_links(root: Path, paths: list[Path]) -> list[str]:
    """Relative links of the Markdown files that lead to no file, or to no heading of it."""
    known = {path.resolve() for path in paths}
    folders = {folder for path in known for folder in path.parents}
    return [
        f"{path.relative_to(root)}: {target}"
        for path in paths
        if path.suffix == ".md"
        for target in _links(path)
        if not _leads(path, target, known | folders)
    ]


def _links(path: Path) -> Iterator[str]:
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    for found in LINK.finditer(text):
        target = found.group(1) or found.group(2)
        if not re.match(r"[a-z][a-z0-9+.-]*:", target):
            yield target


def _leads(page: Path, target: str, known: set[Path]) -> bool:
    name, _, anchor = target.partition("#")
    path = (page.parent / name).resolve() if name else page.resolve()
    return path in known and (not anchor or path.suffix != ".md" or anchor in _anchors(path))


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#{1,6}\s+(.+?)\s*#*$", path.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_source_file_has_its_licence_line() -> None:
    assert unlicensed(tracked(ROOT)) == []


def test_no_path_of_a_machine() -> None:
    assert matches(tracked(ROOT), MACHINE_PATH) == []


def test_no_host_of_a_registry() -> None:
    assert matches(tracked(ROOT), REGISTRY_HOST) == []


def test_links_of_the_docs_lead_somewhere() -> None:
    assert dead_links(ROOT, tracked(ROOT)) == []


# --- the rules themselves, on a small tree


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository with nothing in it."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text", "bad"),
    [
        ("a.c", "int x;\n", True),
        ("a.c", f"/* {SPDX} */\nint x;\n", False),
        ("tool", "#!/bin/sh\ntrue\n", True),
        ("tool", f"#!/bin/sh\n# {SPDX}\n", False),
        ("CMakeLists.txt", "project(x)\n", True),
        ("a.py", f"1\n2\n3\n# {SPDX}\n", True),
        ("a.md", "text\n", False),
        ("data.json", "{}\n", False),
    ],
)
def test_a_missing_licence_line_is_found(tree: Path, name: str, text: str, bad: bool) -> None:
    (tree / name).write_text(text)
    assert bool(unlicensed(tracked(tree))) is bad


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("see /" + "work/main/x", True),
        ("PATH=/" + "home/ann/bin", True),
        ("open('/" + "tmp/x.log')", True),
        ("docs/home/page and ~/work/x and $HOME/work/y", False),
        ("a / work / b", False),
    ],
)
def test_a_path_of_a_machine_is_found(tree: Path, text: str, bad: bool) -> None:
    (tree / "a.txt").write_text(text)
    assert bool(matches(tracked(tree), MACHINE_PATH)) is bad


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("https://" + "pypi" + ".org/simple", True),
        ("deb http://deb." + "debian" + ".org/debian", True),
        ("pip install --index" + "-url X", True),
        ("the Debian package and its debian.tar", False),
    ],
)
def test_a_host_of_a_registry_is_found(tree: Path, text: str, bad: bool) -> None:
    (tree / "a.txt").write_text(text)
    assert bool(matches(tracked(tree), REGISTRY_HOST)) is bad


@pytest.mark.parametrize(
    ("link", "dead"),
    [
        ("[x](b.md)", False),
        ("[x](b.md#the-end-of-it)", False),
        ("[x](#here)", False),
        ("[x](sub)", False),
        ("[x](https://example.com/none)", False),
        ("`[x](none.md)`", False),
        ("[x](none.md)", True),
        ("![x](none.png)", True),
        ("[x](b.md#none)", True),
        ("[x](../outside.md)", True),
        ("[x](ignored.md)", True),
    ],
)
def test_a_dead_link_is_found(tree: Path, link: str, dead: bool) -> None:
    (tree / "sub").mkdir()
    (tree / "sub" / "c.md").write_text("c\n")
    (tree / "b.md").write_text("# B\n## The end, of `it`\n")
    (tree / ".gitignore").write_text("ignored.md\n")
    (tree / "ignored.md").write_text("not in a clone\n")
    (tree / "a.md").write_text(f"# Here\n{link}\n")
    assert bool(dead_links(tree, tracked(tree))) is dead


def test_the_long_files_of_tests_are_there() -> None:
    """Else one that was renamed would begin last, and every worker would wait for it."""
    assert [name for name in LONG if not (ROOT / "tests" / f"{name}.py").exists()] == []
