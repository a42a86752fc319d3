# SPDX-License-Identifier: MIT
"""Folders that go with their owner, however that ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rig.scratch import private_folder

OWNER = """
import sys
from pathlib import Path
from rig.scratch import private_folder
with private_folder(Path(sys.argv[1]), "frames-") as folder:
    (folder / "network.pcap").write_bytes(b"secret")
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_a_folder_is_gone_with_its_owner(tmp_path: Path) -> None:
    with private_folder(tmp_path, "frames-") as folder:
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_owner_left_goes_with_the_next_and_what_lives_stays(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", OWNER, str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"ready\n"
        (left,) = tmp_path.iterdir()
        with private_folder(tmp_path, "frames-"):
            assert (left / "network.pcap").exists()
        killed.kill()
        killed.wait(10)
    assert left.exists()
    (tmp_path / "others").mkdir()
    with private_folder(tmp_path, "frames-") as folder:
        assert {path.name for path in tmp_path.iterdir()} == {"others", folder.name}
