# SPDX-License-Identifier: MIT
"""A vendor's transport_interface.h takes the place of ours where FREERTOS_LIBRARIES_PATH gives one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from rig.image.build import NETWORK_SOURCES, PROGRAMS
from rig.image.kernel_tree import kernel_tree
from rig.image.sources import kernel_path, source_folders

ROOT = Path(__file__).resolve().parents[2]
OURS = "firmware/net/interface/transport_interface.h"
USERS = ("net/connection.c", "net/transport_cases.c", "net/cmd_transport.c")

# The published names and signatures, as another hand would write them, and one name more by which a compiled
# object shows that it saw them.
STAND_IN = """
#ifndef STAND_IN_TRANSPORT_INTERFACE_H
#define STAND_IN_TRANSPORT_INTERFACE_H
#include <stddef.h>
#include <stdint.h>
typedef struct NetworkContext NetworkContext_t;
typedef int32_t ( * TransportRecv_t )( NetworkContext_t *, void *, size_t );
typedef int32_t ( * TransportSend_t )( NetworkContext_t *, const void *, size_t );
typedef struct TransportOutVector { const void * iov_base; size_t iov_len; } TransportOutVector_t;
typedef int32_t ( * TransportWritev_t )( NetworkContext_t *, TransportOutVector_t *, size_t );
typedef struct TransportInterface {
    TransportRecv_t recv; TransportSend_t send; TransportWritev_t writev; NetworkContext_t * pNetworkContext;
} TransportInterface_t;
static const char stand_in_transport[] __attribute__( ( used ) ) = "stand-in transport";
#endif
"""

pytestmark = pytest.mark.slow


def configure(folder: Path, libraries: Path | None) -> subprocess.CompletedProcess[str]:
    """Configures the firmware with these libraries."""
    kernel = kernel_tree(kernel_path(ROOT, os.environ)).folder
    given = source_folders(NETWORK_SOURCES, ROOT, os.environ) | {"FREERTOS_KERNEL_PATH": str(kernel)}
    given["FREERTOS_LIBRARIES_PATH"] = str(libraries or "")
    variables = [f"-D{name}={value}" for name, value in given.items()]
    command = [PROGRAMS[0], "--preset", "mps2", "-B", str(folder), *variables]
    return subprocess.run(
        command, cwd=ROOT / "firmware", capture_output=True, text=True, timeout=120, check=False
    )


def headers_of(folder: Path, source: str) -> str:
    """Compiles one source and returns the headers it was compiled with."""
    target = f"CMakeFiles/app.dir/{source}.obj"
    command = [PROGRAMS[1], "-C", str(folder)]
    subprocess.run([*command, target], check=True, capture_output=True, timeout=300)
    return subprocess.run(
        [*command, "-t", "deps", target], check=True, capture_output=True, text=True, timeout=60
    ).stdout


def test_ours_is_taken_where_there_is_no_other(tmp_path: Path) -> None:
    done = configure(tmp_path / "build", None)
    assert done.returncode == 0, done.stderr
    assert all(OURS in headers_of(tmp_path / "build", source) for source in USERS)


def test_a_vendors_is_taken_and_that_of_coremqtt_first(tmp_path: Path) -> None:
    libraries = tmp_path / "libraries"
    for library in ("coreHTTP", "coreMQTT"):
        interface = libraries / library / "source" / "interface"
        interface.mkdir(parents=True)
        text = STAND_IN if library == "coreMQTT" else "#error the other one"
        (interface / "transport_interface.h").write_text(text)
    done = configure(tmp_path / "build", libraries)
    assert done.returncode == 0, done.stderr
    for source in USERS:
        headers = headers_of(tmp_path / "build", source)
        assert "coreMQTT/source/interface/transport_interface.h" in headers
        assert OURS not in headers
        compiled = (tmp_path / "build" / "CMakeFiles" / "app.dir" / f"{source}.obj").read_bytes()
        assert b"stand-in transport" in compiled


def test_a_tree_without_the_header_is_refused(tmp_path: Path) -> None:
    done = configure(tmp_path / "build", tmp_path)
    assert done.returncode != 0
    assert "no transport_interface.h below it" in " ".join(done.stderr.split())
