# SPDX-License-Identifier: MIT
"""All services of one run on this machine, started together: identities, broker, cloud, echo.

Owns which services there are and the folder of their keys, which is removed with them; what an owner that was
killed left behind is removed by the next. What a board or a suite gets to know of them is ``ServiceSet``.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final

from rig.scratch import private_folder
from rig.services.aws.discovery import Discovery, Group
from rig.services.aws.shadow import ShadowService
from rig.services.aws.shadow_https import ShadowRoute
from rig.services.aws.shadow_mqtt import ShadowClient
from rig.services.aws.shadow_store import ShadowStore
from rig.services.broker import CLOUD, OWNER, Broker, Tell
from rig.services.echo import EchoServers
from rig.services.endpoint import LOOPBACK, Endpoint, Place
from rig.services.handshake import server_context
from rig.services.https import HttpsServer
from rig.services.ota_cloud import OtaCloud, OtaPlace
from rig.services.pki import SERVER_NAMES, Authority, Identity, IdentityFiles, write_private
from rig.services.service_set import Core, ServiceSet

PREFIX: Final = "rig-services-"
_GROUP: Final = "lab"


class Lab:
    """The services while the context is entered. ``log``: what the broker says, kept by the caller.

    ``host``: the address of this machine that they listen on; by default only this machine reaches them. On
    another there is no broker without TLS unless ``anonymous`` is set: whoever reached it could use it.
    ``tell`` hears of the broker's ends and returns. ``state``: a folder that keeps OTA jobs and their files
    beyond this lab; else they go with it.
    """

    def __init__(
        self,
        thing: str,
        *,
        log: Path | None = None,
        host: str = LOOPBACK,
        anonymous: bool = False,
        tell: Tell | None = None,
        state: Path | None = None,
    ) -> None:
        self.thing = thing
        self._log = log
        self._host = host
        self._anonymous = anonymous
        self._tell = tell
        self._state = state
        self._ota: OtaCloud | None = None
        self._stack = ExitStack()
        self.folder: Path
        self.authority: Authority
        self._server: Identity
        self.broker: Broker
        self._cloud: ShadowClient
        self._https: HttpsServer
        self.echo: EchoServers
        self.services: ServiceSet

    def __enter__(self) -> Lab:
        with ExitStack() as stack:
            self.folder = stack.enter_context(private_folder(Path(tempfile.gettempdir()), PREFIX))
            self.authority = Authority.create()
            names = SERVER_NAMES if self._host in SERVER_NAMES else (*SERVER_NAMES, self._host)
            self._server = self.authority.server(names)
            ca_file = self.folder / "ca.pem"
            write_private(ca_file, self.authority.certificate)
            self._start(stack)
            https = self._start_cloud(stack, ca_file)
            self.services = ServiceSet(
                mqtt=self._plain(),
                mqtts=Place.local("mqtt", self.broker.tls.port, self._host),
                https=Place.local("https", https.port, self._host),
                thing=self.thing,
                ca=self.authority.certificate,
                ca_file=ca_file,
                rig=self.identity(OWNER),
                sign=lambda request: self.authority.sign(request, self.thing),
                authority=self.authority,
                cores=tuple(Core(_GROUP, way) for way in self._ways()),
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def check(self) -> None:
        """Raises RigFault where a service has ended by itself, or broken."""
        self.broker.check()
        self._cloud.check()
        self._https.check()
        if self._ota is not None:
            self._ota.check()

    def settle(self) -> None:
        """Waits until all are at work again after the broker was away. Raises RigFault."""
        self._cloud.settle()

    def ota(self) -> OtaCloud:
        """OTA jobs, streams and images: a process that is started when it is first asked for."""
        if self._ota is None:
            server = self._server.write(self.folder)
            identity = self.identity(CLOUD)
            place = OtaPlace(self.broker.tls, self.services.ca_file, identity, CLOUD, server, self._host)
            log = self._log.with_name("ota.log") if self._log else None
            cloud = OtaCloud(self.thing, place, self.folder, self._state, log)
            cloud.actions = {
                "broker_restart": self.broker.restart,
                "client_id_takeover": lambda: self.broker.kick(self.thing),
            }
            self._ota = self._stack.enter_context(cloud)
        return self._ota

    def identity(self, name: str) -> IdentityFiles:
        """A client's identity of that common name, in the folder of keys."""
        return self.authority.device(name).write(self.folder)

    def authority_key(self) -> Path:
        """The CA's own key as a file in that folder, for a rig that signs in another process."""
        path = self.folder / "ca.key.pem"
        write_private(path, self.authority.private_key)
        return path

    def _start(self, stack: ExitStack) -> None:
        self.broker = stack.enter_context(
            Broker(
                self.folder / "broker",
                self.authority,
                log=self._log or self.folder / "broker.log",
                host=self._host,
                anonymous=self._anonymous,
                identity=self._server,
                tell=self._tell,
            )
        )
        self.echo = self._echo(stack)

    def _start_cloud(self, stack: ExitStack, ca_file: Path) -> Endpoint:
        """What AWS IoT has beside its broker; a Greengrass core here is the broker itself."""
        shadows = ShadowService(ShadowStore(self.folder / "shadows.sqlite"), [self.thing])
        cloud = ShadowClient(shadows, self.broker.tls, ca_file, self.identity(CLOUD), CLOUD)
        self._cloud = stack.enter_context(cloud)
        group = Group(_GROUP, OWNER, self._ways(), (self.authority.certificate,))
        context = server_context(self._server.write(self.folder), self.authority, "wanted")
        routes = (Discovery({self.thing: [group]}), ShadowRoute(shadows, cloud.announce))
        self._https = stack.enter_context(HttpsServer(context, routes, host=self._host))
        return self._https.endpoint

    def _plain(self) -> Place | None:
        if self.broker.plain.host != self._host:
            return None
        return Place.local("mqtt", self.broker.plain.port, self._host)

    def _ways(self) -> tuple[Endpoint, ...]:
        return (Place.local("mqtt", self.broker.tls.port, self._host).board,)

    def _echo(self, stack: ExitStack) -> EchoServers:
        echo = self.folder / "echo"
        echo.mkdir()
        return stack.enter_context(EchoServers(echo, self.authority, host=self._host))
