# SPDX-License-Identifier: MIT
"""Who may import whom, and who may sleep: reaching boards and keeping evidence meet only where they should.

The rules are the tables below. The checker is itself tested on small trees that break each of them.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLACES = ("rig", "reports", "suites", "firmware", "tools", "tests", "benchmarks", "conftest.py")
FREE = ("tests", "benchmarks")  # may import anything, but not sleep

REACHING = ("rig.bench", "rig.links", "rig.emulator", "rig.services", "rig.image")
KEEPING = ("rig.evidence",)
MEETING = ("rig.pytest_plugin", "rig.campaign", "rig.cli", "suites", "conftest")
COMMON = (
    "rig.errors",
    "rig.deadline",
    "rig.events",
    "rig.child",
    "rig.project",
    "rig.scratch",
    "rig.transcript",
    "rig.pattern",
)

FORBIDDEN = (  # who, may not import what
    (REACHING, (*KEEPING, *MEETING, "reports")),
    (KEEPING, (*REACHING, *MEETING, "reports")),
    (("reports",), (*REACHING, *MEETING)),
    (COMMON, (*REACHING, *KEEPING, *MEETING, "reports")),
    (("suites",), ("rig.services.aws",)),
)
HOMES = {  # library: the only files that may import it
    "pyocd": ("rig/links/probe.py", "rig/links/probe_*.py", "rig/emulator/pyocd_plugin.py"),
    "serial": ("rig/links/console.py", "rig/links/console_*.py"),
    "dpkt": ("rig/services/network/*",),
    "paho": ("rig/links/mqtt.py", "rig/services/*"),
    "capstone": ("rig/image/machine_code.py",),
    "imgtool": ("rig/image/signing.py",),
    "numpy": ("rig/evidence/*",),
    "scipy": ("rig/evidence/*",),
    "pandas": ("reports/*",),
    "matplotlib": ("reports/*",),
    "pyarrow": ("reports/frames.py",),
    "weasyprint": ("reports/pdf.py",),
    "starlette": ("reports/dashboard/*",),
    "uvicorn": ("reports/dashboard/server.py",),
    "psycopg": ("rig/evidence/store/*",),
    "yaml": ("rig/bench/inventory_yaml.py", "rig/evidence/qualification/tree.py"),
    "pydantic": ("rig/bench/inventory_check.py", "rig/bench/inventory_schema.py"),
    "pydantic_core": ("rig/bench/inventory_check.py", "rig/bench/inventory_values.py"),
}
LAZY_AT_HOME = (
    "capstone",
    "dpkt",
    "imgtool",
    "numpy",
    "scipy",
    "pandas",
    "matplotlib",
    "psycopg",
    "pyarrow",
    "weasyprint",
    "starlette",
    "uvicorn",
)
SLEEPER = "rig/deadline.py"


@dataclass(frozen=True)
class Import:
    """One imported name. ``lazy``: it is not run when the module is imported (a function, TYPE_CHECKING)."""

    name: str
    line: int
    lazy: bool


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _imports(tree: ast.AST, package: list[str], *, lazy: bool = False) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, package)
            yield from (Import(f"{base}.{alias.name}", node.lineno, lazy) for alias in node.names)
        elif name := _imported_by_call(node):
            yield Import(name, getattr(node, "lineno", 0), lazy)
        inner = (
            lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or _for_types(node)
        )
        yield from _imports(node, package, lazy=inner)


def _base(node: ast.ImportFrom, package: list[str]) -> str:
    above = package[: len(package) - node.level + 1] if node.level else []
    return ".".join([*above, *([node.module] if node.module else [])])


def _imported_by_call(node: ast.AST) -> str | None:
    if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
        return None
    called, name = ast.unparse(node.func), node.args[0].value
    return name if called.endswith(("import_module", "__import__")) and isinstance(name, str) else None


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def _sleeps(tree: ast.AST) -> Iterator[int]:
    nodes = list(ast.walk(tree))
    aliases = {
        alias.asname or alias.name
        for node in nodes
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "time"
    }
    for node in nodes:
        if (
            isinstance(node, ast.ImportFrom)
            and node.module == "time"
            and "sleep" in {n.name for n in node.names}
        ):
            yield node.lineno
        if isinstance(node, ast.Attribute) and node.attr == "sleep" and ast.unparse(node.value) in aliases:
            yield node.lineno


def _broken_by(importer: str, file: str, found: Import) -> Iterator[str]:
    for who, what in FORBIDDEN:
        if _within(importer, who) and _within(found.name, what):
            yield f"{importer} may not import {found.name}"
    library = found.name.partition(".")[0]
    if library in HOMES and not any(fnmatch(file, home) for home in HOMES[library]):
        yield f"{library} belongs to {' and '.join(HOMES[library])}"
    elif library in LAZY_AT_HOME and not found.lazy:
        yield f"{library} must be imported inside the function that needs it"


def _meets(importer: str, found: list[Import]) -> bool:
    halves = (any(_within(item.name, half) for item in found) for half in (REACHING, KEEPING))
    return all(halves) and not _within(importer, MEETING)


def faults(root: Path) -> list[str]:
    """Every broken rule of a tree, as ``file:line: what``."""
    said = []
    for path in sorted(path for place in PLACES for path in _modules(root / place)):
        file = path.relative_to(root).as_posix()
        module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
        tree = ast.parse(path.read_bytes(), file)
        if file != SLEEPER:
            said += [f"{file}:{line}: only {SLEEPER} may sleep" for line in _sleeps(tree)]
        if file.startswith(FREE):
            continue
        found = list(_imports(tree, package))
        said += [f"{file}:{item.line}: {text}" for item in found for text in _broken_by(module, file, item)]
        if _meets(module, found):
            said.append(f"{file}:1: reaching boards and keeping evidence meet here; they may in {MEETING}")
    return said


def _modules(place: Path) -> list[Path]:
    return [place] if place.is_file() else list(place.rglob("*.py"))


def test_the_project_keeps_the_rules() -> None:
    assert faults(ROOT) == []


def test_the_tables_name_what_there_is() -> None:
    modules = [path for place in PLACES for path in _modules(ROOT / place)]
    assert len(modules) > 40
    assert (ROOT / SLEEPER).exists()
    for name in COMMON:
        place = ROOT / name.replace(".", "/")
        assert place.is_dir() or place.with_suffix(".py").exists(), name


VIOLATIONS = {
    "evidence in a link": (
        "rig/links/x.py",
        "import rig.evidence.model",
        "may not import rig.evidence.model",
    ),
    "evidence by from": ("rig/bench/x.py", "from rig import evidence", "may not import rig.evidence"),
    "evidence in a function": (
        "rig/image/x.py",
        "def f():\n    from rig.evidence import model",
        "may not import",
    ),
    "evidence for types": (
        "rig/emulator/x.py",
        "if TYPE_CHECKING:\n    import rig.evidence",
        "may not import",
    ),
    "evidence by its name": ("rig/bench/x.py", "importlib.import_module('rig.evidence')", "may not import"),
    "evidence relatively": (
        "rig/services/x.py",
        "from ..evidence import model",
        "may not import rig.evidence.model",
    ),
    "evidence from a package": ("rig/links/__init__.py", "from ..evidence import model", "may not import"),
    "a link in evidence": (
        "rig/evidence/store/x.py",
        "from rig.links import wire",
        "may not import rig.links.wire",
    ),
    "an image in evidence": ("rig/evidence/x.py", "import rig.image.elf", "may not import rig.image.elf"),
    "a link in a report": ("reports/x.py", "import rig.links.wire", "may not import rig.links.wire"),
    "the CLI below": ("rig/bench/x.py", "from rig.cli import Options", "may not import rig.cli.Options"),
    "a report below": ("rig/evidence/x.py", "import reports.html", "may not import reports.html"),
    "a half in common ground": ("rig/deadline.py", "import rig.bench.lock", "may not import rig.bench.lock"),
    "a third meeting place": ("rig/new.py", "import rig.bench\nimport rig.evidence", "meet here"),
    "the cloud in a suite": ("suites/ota/test_x.py", "import rig.services.aws.jobs", "may not import"),
    "pyOCD elsewhere": (
        "rig/bench/x.py",
        "from pyocd.core import session",
        "pyocd belongs to rig/links/probe.py",
    ),
    "pyOCD in a function": ("rig/cli/x.py", "def f():\n    import pyocd", "pyocd belongs to"),
    "pyserial elsewhere": ("rig/links/wire.py", "import serial.tools", "serial belongs to"),
    "paho elsewhere": ("suites/test_x.py", "import paho.mqtt.client", "paho belongs to"),
    "numpy elsewhere": (
        "reports/x.py",
        "def f():\n    import numpy as np",
        "numpy belongs to rig/evidence/*",
    ),
    "numpy at once": (
        "rig/evidence/x.py",
        "import numpy as np",
        "numpy must be imported inside the function",
    ),
    "numpy in a try": (
        "rig/evidence/x.py",
        "try:\n    import numpy\nexcept ImportError:\n    pass",
        "inside",
    ),
    "scipy in a class": (
        "rig/evidence/x.py",
        "class A:\n    from scipy import stats",
        "scipy must be imported",
    ),
    "pandas at once": ("reports/x.py", "import pandas", "pandas must be imported inside"),
    "pandas elsewhere": ("rig/evidence/x.py", "def f():\n    import pandas", "pandas belongs to reports/*"),
    "matplotlib at once": ("reports/x.py", "from matplotlib import ticker", "matplotlib must be imported"),
    "matplotlib elsewhere": (
        "rig/cli/x.py",
        "def f():\n    from matplotlib.figure import Figure",
        "matplotlib belongs to reports/*",
    ),
    "starlette elsewhere": ("reports/x.py", "def f():\n    import starlette", "starlette belongs to"),
    "starlette at once": (
        "reports/dashboard/x.py",
        "from starlette.routing import Route",
        "starlette must be imported inside",
    ),
    "uvicorn elsewhere": (
        "reports/dashboard/site.py",
        "def f():\n    import uvicorn",
        "uvicorn belongs to reports/dashboard/server.py",
    ),
    "psycopg at once": ("rig/evidence/store/x.py", "import psycopg", "psycopg must be imported inside"),
    "psycopg elsewhere": (
        "rig/cli/x.py",
        "def f():\n    import psycopg",
        "psycopg belongs to rig/evidence/store/*",
    ),
    "sleep": ("tests/test_x.py", "import time\ntime.sleep(1)", "test_x.py:2: only rig/deadline.py may sleep"),
    "sleep by from": (
        "rig/x.py",
        "from time import monotonic, sleep",
        "x.py:1: only rig/deadline.py may sleep",
    ),
    "sleep by alias": ("conftest.py", "import time as t\ndef f():\n    t.sleep(1)", "conftest.py:3: only"),
    "sleep by reference": ("benchmarks/x.py", "import time\nnap = time.sleep", "x.py:2: only"),
}


@pytest.mark.parametrize(("file", "text", "said"), VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_a_planted_violation_is_found(tmp_path: Path, file: str, text: str, said: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    (fault,) = faults(tmp_path)
    assert fault.startswith(f"{file}:")
    assert said in fault


ALLOWED = {
    "rig/cli/x.py": "import rig.bench.lock\nimport rig.evidence.model\nimport reports.html",
    "rig/pytest_plugin.py": "from rig.bench import session\nfrom rig.evidence import recorder",
    "suites/boot/test_x.py": "from rig.links.interfaces import Console\nfrom rig.evidence import measurement",
    "rig/evidence/x.py": "def f():\n    import numpy\nif TYPE_CHECKING:\n    from scipy import stats",
    "rig/links/console_port.py": "import serial",
    "rig/deadline.py": "import time\ntime.sleep(1)",
    "tests/evidence/test_x.py": "import numpy\nimport rig.links\nimport rig.evidence",
    "rig/bench/x.py": "from rig.links import interfaces\nimport rig.evidences\nself.sleep(1)",
}


@pytest.mark.parametrize(("file", "text"), ALLOWED.items(), ids=ALLOWED.keys())
def test_what_is_allowed_is_let_pass(tmp_path: Path, file: str, text: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert faults(tmp_path) == []


def test_help_loads_nothing_heavy() -> None:
    ask = (
        "import sys, rig.cli, rig.bench.inventory; print(*(name for name in sys.modules if '.' not in name))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not set(loaded) & {*HOMES, "rich", "pytest", "jinja2", "elftools", "intelhex"}
