# SPDX-License-Identifier: MIT
"""A vendor's coreMQTT is compiled and linked into the image where FREERTOS_LIBRARIES_PATH gives one.

coreMQTT is not there to be tried; a few lines of its shape stand for it: where its files lie, which header it
includes, and that it is handed a transport.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rig.image.build import PROGRAMS
from tests.firmware.test_transport_header import ROOT, STAND_IN, configure

pytestmark = pytest.mark.slow

HEADER = """
#include "transport_interface.h"
typedef struct MQTTContext { TransportInterface_t transportInterface; } MQTTContext_t;
int MQTT_Init( MQTTContext_t * pContext, const TransportInterface_t * pTransportInterface );
"""
SOURCE = """
#include "core_mqtt.h"
#ifndef MQTT_DO_NOT_USE_CUSTOM_CONFIG
    #include "core_mqtt_config.h"
#endif
int MQTT_Init( MQTTContext_t * pContext, const TransportInterface_t * pTransportInterface )
{
    pContext->transportInterface = *pTransportInterface;
    return pTransportInterface->send != NULL;
}
"""
GLUE = """
#include "connection.h"
#include "core_mqtt.h"
int vendor_connects(NetworkContext_t *connection);
int vendor_connects(NetworkContext_t *connection)
{
    static MQTTContext_t s_context;
    TransportInterface_t transport = connection_transport(connection);
    return MQTT_Init(&s_context, &transport);
}
"""


def libraries_of(folder: Path) -> Path:
    """A tree of the shape in which FreeRTOS' libraries are shipped."""
    source = folder / "libraries" / "coreMQTT" / "source"
    for name, text in (
        ("interface/transport_interface.h", STAND_IN),
        ("include/core_mqtt.h", HEADER),
        ("core_mqtt.c", SOURCE),
    ):
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "libraries"


def build(folder: Path, target: str) -> None:
    """Builds the image with the glue, or the vendor's library alone."""
    command = [PROGRAMS[1], "-C", str(folder / "build"), target]
    built = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert built.returncode == 0, built.stdout[-3000:]


def add_glue(folder: Path) -> None:
    """A vendor's own code, which hands our transport to the client."""
    (folder / "glue.c").write_text(GLUE)
    given = [f"-DRIG_TEST_SOURCES={folder / 'glue.c'}", "-DRIG_TEST_LINK=-Wl,-u,vendor_connects"]
    command = [PROGRAMS[0], "-B", str(folder / "build"), *given]
    subprocess.run(command, cwd=ROOT / "firmware", check=True, capture_output=True, timeout=120)


def test_a_vendors_client_is_linked_and_takes_our_transport(tmp_path: Path) -> None:
    done = configure(tmp_path / "build", libraries_of(tmp_path))
    assert done.returncode == 0, done.stderr
    add_glue(tmp_path)
    build(tmp_path, "app.elf")
    symbols = subprocess.run(
        ["arm-none-eabi-nm", str(tmp_path / "build" / "app.elf")], capture_output=True, text=True, check=True
    ).stdout
    assert {"MQTT_Init", "vendor_connects"} <= set(symbols.split())


def test_a_vendors_configuration_is_used(tmp_path: Path) -> None:
    libraries = libraries_of(tmp_path)
    (libraries / "core_mqtt_config.h").write_text("#define MQTT_Init MQTT_Init_by_our_configuration\n")
    assert configure(tmp_path / "build", libraries).returncode == 0
    build(tmp_path, "vendor_mqtt")
    library = (tmp_path / "build" / "libvendor_mqtt.a").read_bytes()
    assert b"MQTT_Init_by_our_configuration" in library
