# SPDX-License-Identifier: MIT
"""A sealed pack: every way of touching it is named, and none of what it might bring is followed."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from rig.errors import EvidenceFault, UsageFault
from rig.evidence.qualification import archive
from rig.evidence.qualification.archive import pack, unpack
from rig.evidence.qualification.seal import KEY, SEAL, SIGNATURE, examine, fingerprint, public_key, seal
from tests.damage import try_damaged

FILES = {"report.txt": b"qualified\n", "runs/1/run.json": b"{}\n", "runs/1/artifacts/console.log": b"ok\n"}
Change = Callable[[dict[str, bytes]], None]


def private_pem(key: Ed25519PrivateKey | None = None) -> bytes:
    """A key of this test alone."""
    key = key or Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(private: bytes) -> bytes:
    """Its public half."""
    return public_key(private).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


MINE, OTHER = private_pem(), private_pem()


@pytest.fixture
def sealed() -> dict[str, bytes]:
    """The files with their seal."""
    return FILES | seal(FILES, MINE, {"verdict": "qualified"})


def _said(files: dict[str, bytes], key: bytes | None = None) -> list[str]:
    return [str(finding) for finding in examine(files, key)[0]]


def test_an_untouched_pack_is_as_it_was_signed(sealed: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "pack.tar.gz"
    path.write_bytes(pack(sealed, "folder", 1_700_000_000))
    read = unpack(path)
    assert read == sealed
    findings, said = examine(read, public_pem(MINE))
    assert (findings, said["verdict"], said["key"]) == ([], "qualified", fingerprint(public_key(MINE)))
    assert _said(read) == _said(read, MINE) == []


def test_the_same_files_give_the_same_archive(sealed: dict[str, bytes]) -> None:
    backwards = dict(reversed(sealed.items()))
    assert pack(sealed, "folder", 7) == pack(backwards, "folder", 7)


def _alter(files: dict[str, bytes]) -> None:
    files["report.txt"] = b"qualifieD\n"


def _remove(files: dict[str, bytes]) -> None:
    del files["runs/1/run.json"]


def _add(files: dict[str, bytes]) -> None:
    files["runs/1/more.log"] = b""


def _rename(files: dict[str, bytes]) -> None:
    files["runs/2/run.json"] = files.pop("runs/1/run.json")


def _list(files: dict[str, bytes]) -> None:
    files[SEAL] = files[SEAL].replace(b"qualified", b"emulated!")


def _signature(files: dict[str, bytes]) -> None:
    files[SIGNATURE] = bytes(64)


def _short_signature(files: dict[str, bytes]) -> None:
    files[SIGNATURE] = b""


def _no_list(files: dict[str, bytes]) -> None:
    del files[SEAL]


def _no_signature(files: dict[str, bytes]) -> None:
    del files[SIGNATURE]


def _sealed_again(files: dict[str, bytes]) -> None:
    own = {name: content for name, content in files.items() if name in FILES}
    own["report.txt"] = b"all is well\n"
    files.update(own | seal(own, OTHER, {}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_alter, ["altered: report.txt (10 bytes, 10 were signed)"]),
        (_remove, ["missing: runs/1/run.json"]),
        (_add, ["added: runs/1/more.log"]),
        (_rename, ["missing: runs/1/run.json", "added: runs/2/run.json"]),
        (_list, [f"altered: {SEAL} (its signature does not fit)"]),
        (_signature, [f"altered: {SEAL} (its signature does not fit)"]),
        (_short_signature, [f"altered: {SEAL} (its signature does not fit)"]),
        (_no_list, [f"missing: {SEAL} (a pack is sealed)"]),
        (_no_signature, [f"missing: {SIGNATURE} (a pack is sealed)"]),
    ],
)
def test_what_was_done_to_a_pack_is_named(sealed: dict[str, bytes], change: Change, said: list[str]) -> None:
    change(sealed)
    assert _said(sealed, public_pem(MINE)) == said
    assert _said(sealed) == said


def test_one_that_was_sealed_again_is_signed_with_the_wrong_key(sealed: dict[str, bytes]) -> None:
    _sealed_again(sealed)
    assert _said(sealed) == []  # whole, by a key that nobody vouches for: the command says so
    (said,) = _said(sealed, public_pem(MINE))
    assert said.startswith(f"wrong key: {SIGNATURE} (signed with {fingerprint(public_key(OTHER))[:16]}…")


def test_a_key_inside_that_is_none(sealed: dict[str, bytes]) -> None:
    assert _said(sealed | {KEY: b"no key"}) == [f"altered: {KEY} (it is no Ed25519 public key)"]
    assert _said(sealed | {KEY: b"no key"}, MINE) == [f"altered: {KEY} (it is not the key that signed)"]
    del sealed[KEY]
    assert _said(sealed) == [f"missing: {KEY} (and no key was given)"]
    assert _said(sealed, MINE) == [f"missing: {KEY}"]


def test_a_list_of_another_format_is_named(sealed: dict[str, bytes]) -> None:
    for text in (
        b"[]",
        b"{}",
        b"no json",
        b'{"format": 2}',
        b"[" * 9000,
        b'{"format":1,"files":[{"name":1}]}',
    ):
        forged = sealed | {SEAL: text, SIGNATURE: _signed(text)}
        assert _said(forged, MINE) == [f"altered: {SEAL} (it is no list of format 1)"]


def _signed(text: bytes) -> bytes:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(MINE, None)
    assert isinstance(key, Ed25519PrivateKey)
    return key.sign(text)


def test_keys_that_cannot_be_used() -> None:
    curve = generate_private_key(SECP256R1())
    of_a_curve = curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    locked = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")
    )
    for pem, said in (
        (of_a_curve, "of another kind: packs are signed with Ed25519"),
        (locked, "it is encrypted|the key is encrypted"),
        (b"nonsense", "no private key in PEM"),
        (public_pem(MINE), "no private key in PEM"),
    ):
        with pytest.raises(UsageFault, match=said):
            seal(FILES, pem, {})
    public = curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for pem, said in ((public, "of another kind"), (b"nonsense", "no public or private key")):
        with pytest.raises(UsageFault, match=said):
            examine(FILES | seal(FILES, MINE, {}), pem)


# --- archives


def _tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def _member(name: str, kind: bytes = tarfile.REGTYPE, to: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, to
    return member


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([_member("../evil")], "outside the destination|no plain file"),
        ([_member("f/../../evil")], "outside the destination|no plain file"),
        ([_member("/etc/passwd")], "no plain file inside it"),
        ([_member("."), _member("f/a")], "no plain file inside it"),
        ([_member(""), _member("f/a")], "no plain file inside it"),
        ([_member("f/a", tarfile.SYMTYPE, "../../../etc/passwd")], "no pack"),
        ([_member("f/a", tarfile.SYMTYPE, "b")], "no plain file inside it"),
        ([_member("f/a", tarfile.LNKTYPE, "f/b")], "no plain file inside it"),
        ([_member("f/a", tarfile.CHRTYPE)], "no pack"),
        ([_member("f/a", tarfile.FIFOTYPE)], "no pack"),
        ([_member("f\\..\\a/b")], "no plain file inside it"),
        ([_member("f/a"), _member("g/b")], "must lie below one folder"),
        ([_member("a")], "must lie below one folder"),
        ([_member("f/a"), _member("f/a")], "'a' is there twice"),
        ([_member("f", tarfile.DIRTYPE)], "no files in it"),
    ],
)
def test_an_archive_that_is_no_pack(tmp_path: Path, members: list[tarfile.TarInfo], said: str) -> None:
    path = tmp_path / "pack.tar.gz"
    path.write_bytes(_tar(*((member, b"") for member in members)))
    with pytest.raises(EvidenceFault, match=said):
        unpack(path)
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_pack_that_is_cut_off_anywhere_is_never_read(sealed: dict[str, bytes], tmp_path: Path) -> None:
    whole, path = pack(sealed, "folder", 7), tmp_path / "pack.tar.gz"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(EvidenceFault, match=r"no whole pack|cannot be read|no files in it"):
            unpack(path)


def test_a_file_that_is_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "pack.tar.gz"
    for content in (b"", b"hello", gzip.compress(b"no tar in it" * 100)):
        path.write_bytes(content)
        with pytest.raises(EvidenceFault, match="pack"):
            unpack(path)
    with pytest.raises(EvidenceFault, match="No such file"):
        unpack(tmp_path / "none")
    with pytest.raises(EvidenceFault, match="Is a directory"):
        unpack(tmp_path)


def test_what_lies_behind_the_end_of_an_archive_is_refused(sealed: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "pack.tar.gz"
    path.write_bytes(pack(sealed, "folder", 7) + gzip.compress(b"more"))
    with pytest.raises(EvidenceFault, match="no whole pack: something lies behind its end"):
        unpack(path)


def test_caps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 10_000)
    monkeypatch.setattr(archive, "MAX_FILES", 3)
    path = tmp_path / "pack.tar.gz"
    with pytest.raises(EvidenceFault, match="at most 3 files and 10,000 bytes"):
        pack({"a": bytes(10_001)}, "f", 0)
    with pytest.raises(EvidenceFault, match="at most 3 files"):
        pack(dict.fromkeys("abcd", b""), "f", 0)
    path.write_bytes(_tar(*((_member(f"f/{n}"), b"") for n in range(4))))
    with pytest.raises(EvidenceFault, match="too many files"):
        unpack(path)
    path.write_bytes(_tar((_member("f/a"), bytes(10_001))))
    with pytest.raises(EvidenceFault, match="one too large"):
        unpack(path)
    path.write_bytes(_tar(*((_member(f"f/{n}"), bytes(9_999)) for n in range(3))))
    with pytest.raises(EvidenceFault, match="unpacks to more than 10,000 bytes"):
        unpack(path)


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 1 << 20)
    monkeypatch.setattr(archive, "MAX_FILES", 100)
    path = tmp_path / "bomb.tar.gz"
    header = _member("f/a")
    header.size = 1 << 40
    path.write_bytes(gzip.compress(header.tobuf() + bytes(8 << 20)))
    with pytest.raises(EvidenceFault, match="too large"):
        unpack(path)


def test_a_file_with_holes_is_not_filled(tmp_path: Path) -> None:
    member = _member("f/a")
    member.pax_headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": "400000000"}
    path = tmp_path / "sparse.tar.gz"
    path.write_bytes(_tar((member, b"x")))
    with tarfile.open(path) as tar:
        assert tar.getmembers()[0].size == 400_000_000  # a reader that is not careful would make them
    with pytest.raises(EvidenceFault, match="no plain file inside it"):
        unpack(path)


def test_a_damaged_pack_is_named_or_refused_and_never_taken_for_whole(tmp_path: Path) -> None:
    sealed = FILES | seal(FILES, MINE, {})
    whole, path = pack(sealed, "folder", 7), tmp_path / "pack.tar.gz"
    plain = gzip.decompress(whole)

    def check(data: bytes) -> str:
        path.write_bytes(gzip.compress(data, 1))
        try:
            files = unpack(path)
        except EvidenceFault:
            return "refused"
        findings, _ = examine(files, public_pem(MINE))
        assert findings or files == sealed, "a change that nobody saw"
        return "named" if findings else "whole"

    assert try_damaged([plain], check, inputs=1_000) >= {"refused", "named"}


def test_the_seal_is_readable_without_the_rig(sealed: dict[str, bytes]) -> None:
    rows = json.loads(sealed[SEAL])["files"]
    assert [row["name"] for row in rows] == sorted(FILES)
    assert len(sealed[SIGNATURE]) == 64
