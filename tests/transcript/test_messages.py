# SPDX-License-Identifier: MIT
"""The file of MQTT messages: what goes in comes out, after a kill too, and nothing upsets the reader."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rig.errors import EvidenceFault
from rig.transcript.messages import INLINE, MAGIC, Message, MessageWriter, read_messages

MESSAGES = st.builds(
    Message,
    st.integers(0, 2**63),
    st.text(st.characters(codec="utf-8"), max_size=30),
    st.binary(max_size=60),
    st.integers(0, 2),
    st.booleans(),
    st.booleans(),
)


def written(path: Path, messages: list[Message], most_bytes: int = 1 << 30) -> int:
    path.unlink(missing_ok=True)
    writer = MessageWriter(path, most_bytes)
    kept = writer.append(messages)
    writer.close()
    return kept


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(MESSAGES, max_size=6), st.data())
def test_messages_survive_the_file_and_a_cut(
    tmp_path: Path, messages: list[Message], data: st.DataObject
) -> None:
    path = tmp_path / "m"
    assert written(path, messages) == len(messages)
    assert list(read_messages(path)) == messages
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(len(MAGIC), len(whole)))])
    read = list(read_messages(path))
    assert read == messages[: len(read)]
    assert len(read) >= len(messages) - 1 or path.stat().st_size < len(whole)


def test_a_large_payload_is_kept_once_beside_the_file(tmp_path: Path) -> None:
    large = bytes(INLINE + 1)
    messages = [Message(1, "a", large), Message(2, "b", large), Message(3, "c", large[:-1])]
    written(tmp_path / "m", messages)
    assert list(read_messages(tmp_path / "m")) == messages
    (aside,) = (tmp_path / "m.payloads").iterdir()
    aside.write_bytes(b"other")
    with pytest.raises(EvidenceFault, match="is not the one that its name says"):
        list(read_messages(tmp_path / "m"))


def test_a_file_takes_no_more_than_its_bound(tmp_path: Path) -> None:
    messages = [Message(n, "topic", bytes(50)) for n in range(10)]
    assert written(tmp_path / "m", messages, most_bytes=300) == 4
    assert list(read_messages(tmp_path / "m")) == messages[:4]


def test_a_topic_that_is_no_utf8_survives(tmp_path: Path) -> None:
    message = Message(1, b"bad \xff topic".decode("utf-8", "surrogateescape"), b"x")
    written(tmp_path / "m", [message])
    assert list(read_messages(tmp_path / "m")) == [message]


@pytest.mark.parametrize("content", [b"", b"RIGMQ", b"something else"])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(EvidenceFault, match="expected a file of MQTT messages"):
        list(read_messages(tmp_path / "m"))


def test_no_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EvidenceFault, match="cannot read messages"):
        list(read_messages(tmp_path / "none"))


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"mine")
    with pytest.raises(EvidenceFault, match="cannot keep messages"):
        MessageWriter(tmp_path / "m")


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    path = tmp_path / "m"
    writer = MessageWriter(path)
    import os

    os.dup2(os.open("/dev/full", os.O_WRONLY), writer._fd)
    with pytest.raises(EvidenceFault, match="No space left"):
        writer.append([Message(1, "a", b"b")])
    writer.close()
