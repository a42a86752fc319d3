# SPDX-License-Identifier: MIT
"""Services that somebody else runs: AWS IoT Core, another broker, ``rig services up``; told by a JSON file.

Owns the file's format, which is that of the line ``rig services up --json`` prints, and its faults: all that
is wrong is said at once. Paths are relative to the file. What a board needs beyond endpoints is its
certificate: signed here (``ca_private_key``), by a command (``sign``, which gets the request on standard
input and prints the certificate), or there already (``provisioned``).
"""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from rig.errors import ToolFault, UsageFault
from rig.services.endpoint import Endpoint, Place
from rig.services.ota_client import OtaControl
from rig.services.pki import Authority, IdentityFiles
from rig.services.service_set import ServiceSet, Sign

_ENDPOINTS: Final = ("mqtt", "mqtts", "https")
_PATHS: Final = ("ca", "certificate", "private_key", "ca_private_key")
_REQUIRED: Final = ("mqtts", "ca", "thing", "certificate", "private_key")
_KNOWN: Final = (*_ENDPOINTS, *_PATHS, "thing", "sign", "provisioned", "rig", "ota")
_SIGN_S: Final = 60.0


def read_services(path: Path, *, emulated: bool) -> ServiceSet:
    """The services of a file. Raises UsageFault with every fault of it.

    For an ``emulated`` board a loopback address is this machine, which it knows as ``mqtt.rig.test`` and so
    on; a physical board would look for it on itself, which is refused.
    """
    told = _load(path)
    faults = [*_shape_faults(told), *([] if emulated else _loopback_faults(told))]
    if not faults:
        faults = [*_file_faults(told, path.parent)]
    if faults:
        raise UsageFault("; ".join(f"{path}: {fault}" for fault in faults))
    files: dict[str, Path] = {name: path.parent / told[name] for name in _PATHS if name in told}
    authority = Authority.load(files["ca"], files["ca_private_key"]) if "ca_private_key" in files else None
    places = {name: _place(name, told[name]) if told.get(name) else None for name in _ENDPOINTS}
    mqtts = places["mqtts"]
    assert mqtts is not None
    return ServiceSet(
        mqtts=mqtts,
        mqtt=places["mqtt"],
        https=places["https"],
        thing=told["thing"],
        ca=files["ca"].read_text(),
        ca_file=files["ca"],
        rig=_rig(told, path.parent, files),
        sign=_sign(told, authority),
        authority=authority,
        provisioned=told.get("provisioned", False),
        ota=OtaControl(path.parent / told["ota"]["control"]) if "ota" in told else None,
    )


def _load(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text())
    except OSError as error:
        raise UsageFault(f"cannot read the services {path}: {error.strerror}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageFault(f"{path}: no JSON: {error}", hint=_HINT) from error
    if not isinstance(told, dict):
        raise UsageFault(f"{path}: expected a JSON object, got {type(told).__name__}", hint=_HINT)
    return told


_HINT: Final = "'rig services up --json' prints such a file"


def _shape_faults(told: Mapping[str, Any]) -> list[str]:
    faults = [f"{name}: unknown; there are {', '.join(_KNOWN)}" for name in told if name not in _KNOWN]
    faults += [f"{name}: missing" for name in _REQUIRED if not told.get(name)]
    for name in (*_PATHS, "thing"):
        if name in told and not isinstance(told[name], str):
            faults.append(f"{name}: expected text, got {told[name]!r}")
    faults += [f"{name}: {fault}" for name in _ENDPOINTS if (fault := _endpoint_fault(told.get(name)))]
    if "sign" in told and not _is_argv(told["sign"]):
        faults.append(f"sign: expected a list of a program and its arguments, got {told['sign']!r}")
    if not isinstance(told.get("provisioned", False), bool):
        faults.append(f"provisioned: expected true or false, got {told['provisioned']!r}")
    rig = told.get("rig", {"certificate": "", "private_key": ""})
    if not isinstance(rig, dict) or set(rig) != {"certificate", "private_key"}:
        faults.append("rig: expected certificate and private_key")
    ota = told.get("ota", {"control": "socket", "signer": "key"})
    if not isinstance(ota, dict) or {*map(type, ota.values())} != {str} or set(ota) != {"control", "signer"}:
        faults.append("ota: expected control and signer")
    return faults


def _endpoint_fault(told: Any) -> str:
    if told is None:
        return ""
    if not isinstance(told, dict) or set(told) != {"host", "port"}:
        return f"expected host and port, got {told!r}"
    if not isinstance(told["host"], str) or not told["host"]:
        return f"host: expected a name or an address, got {told['host']!r}"
    port = told["port"]
    good = isinstance(port, int) and not isinstance(port, bool) and 0 < port < 65_536
    return "" if good else f"port: expected 1 to 65535, got {port!r}"


def _is_argv(told: Any) -> bool:
    return isinstance(told, list) and bool(told) and all(isinstance(word, str) for word in told)


def _loopback_faults(told: Mapping[str, Any]) -> list[str]:
    found = [
        name for name in _ENDPOINTS if isinstance(told.get(name), dict) and _is_loopback(told[name]["host"])
    ]
    return [f"{name}: a physical board cannot reach this machine's loopback" for name in found]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _file_faults(told: Mapping[str, Any], folder: Path) -> list[str]:
    """Certificates and keys as TLS would load them."""
    faults = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=folder / told["ca"])
    except (OSError, ssl.SSLError) as error:
        faults.append(f"ca: {folder / told['ca']}: {_why(error)}")
    for pair in (told, *([told["rig"]] if "rig" in told else [])):
        certificate, key = folder / pair["certificate"], folder / pair["private_key"]
        try:
            context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            faults.append(f"certificate and private_key: {certificate}, {key}: {_why(error)}")
    return faults


def _why(error: OSError) -> str:
    return (error.reason if isinstance(error, ssl.SSLError) else error.strerror) or str(error)


def _place(name: str, told: Mapping[str, Any]) -> Place:
    if _is_loopback(told["host"]):
        board = Place.local("https" if name == "https" else "mqtt", told["port"]).board
        return Place(board, Endpoint(told["host"], told["port"]))
    here = Endpoint(told["host"], told["port"])
    return Place(here, here)


def _rig(told: Mapping[str, Any], folder: Path, files: Mapping[str, Path]) -> IdentityFiles:
    if "rig" in told:
        return IdentityFiles(folder / told["rig"]["certificate"], folder / told["rig"]["private_key"])
    return IdentityFiles(files["certificate"], files["private_key"])


def _sign(told: Mapping[str, Any], authority: Authority | None) -> Sign | None:
    if authority is not None:
        return lambda request: authority.sign(request, told["thing"])
    if "sign" in told:
        return lambda request: _run(told["sign"], request)
    return None


def _run(argv: Sequence[str], request: str) -> str:
    try:
        done = subprocess.run(
            argv, input=request, capture_output=True, text=True, timeout=_SIGN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolFault(f"the command {argv[0]} that signs requests failed: {error}") from error
    if done.returncode != 0 or "BEGIN CERTIFICATE" not in done.stdout:
        said = (done.stderr or done.stdout).strip()[-200:] or "nothing"
        raise ToolFault(
            f"{argv[0]} was to print a certificate; it ended with status {done.returncode} and said: {said}"
        )
    return done.stdout
