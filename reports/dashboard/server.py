# SPDX-License-Identifier: MIT
"""The pages over HTTP: addresses, and who is logged in. What may pass at all is ``guard.py``'s.

An address is compared with the names of the pages and never opened as a path. Nothing here waits for a board.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from reports.dashboard import names
from reports.dashboard.forms import Form, perform, read_form, way_back
from reports.dashboard.guard import Guard, Rules, Sessions, cookie_header
from reports.dashboard.live import MOST_FOLLOWERS, Live, fingerprint
from reports.dashboard.records import Actions
from reports.dashboard.site import STATIC, Visit, render, rendered
from reports.dashboard.sources import Sources, View
from rig.errors import RigError, UsageFault

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

_TYPES: Final = MappingProxyType({".css": "text/css", ".js": "text/javascript"})
_GRACE_S: Final = 2
_MOST_AT_ONCE: Final = 256


class Dashboard:
    """The whole server as an ASGI application; ``end`` lets go of the pages that follow it."""

    def __init__(self, sources: Sources, rules: Rules, actions: Actions | None) -> None:
        sessions = Sessions(rules.token)
        self._pages = _Pages(sources, rules, actions, sessions)
        self._guard = Guard(self._pages.app(), rules, sessions)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        await self._guard(scope, receive, send)

    def end(self) -> None:
        """Ends the streams; called in the loop that serves."""
        self._pages.end()


def server_of(app: Dashboard) -> uvicorn.Server:
    """The server, not yet running. It tells the pages that follow it before it waits for their end."""
    import uvicorn

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            app.end()
            await super().shutdown(sockets)

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        limit_concurrency=_MOST_AT_ONCE,
    )
    return Server(config)


def serve(app: Dashboard, host: str, port: int, ready: Callable[[int], None]) -> None:
    """Serves until Ctrl-C or SIGTERM; ``ready`` gets the port. Raises UsageFault when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
            listening.listen(_MOST_AT_ONCE)  # who was told the address may come at once
        except OSError as error:
            raise UsageFault(
                f"cannot listen on {host}:{port}: {error.strerror}", hint="--port PORT"
            ) from error
        ready(listening.getsockname()[1])
        server_of(app).run(sockets=[listening])


class _Pages:
    """The routes."""

    def __init__(self, sources: Sources, rules: Rules, actions: Actions | None, sessions: Sessions) -> None:
        self._sources, self._rules, self._actions, self._sessions = sources, rules, actions, sessions
        self._live: Live | None = None

    def end(self) -> None:
        """Ends what follows the bench."""
        if self._live is not None:
            self._live.end()

    def app(self) -> Starlette:
        from starlette.applications import Starlette
        from starlette.routing import Route

        return Starlette(
            routes=[
                Route("/", self._page),
                Route("/events", self._events),
                Route("/choose", self._choose),
                Route("/login", self._login, methods=["GET", "POST"]),
                Route("/act/{what}", self._act, methods=["POST"]),
                Route("/static/{name}", self._static),
                Route("/{page:path}", self._page),
            ],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        import asyncio

        self._live = Live(lambda: fingerprint(self._sources))
        looking = asyncio.create_task(self._live.run())
        await asyncio.to_thread(self._warm)
        try:
            yield
        finally:
            self._live.end()
            await looking

    def _warm(self) -> None:
        """The first page is made once before anybody waits for it."""
        with suppress(RigError):
            render(self._sources, names.HOME, Visit(live=True))

    def _page(self, request: Request) -> Response:
        """Runs in a thread of its own, so that a slow page holds up no other."""
        page = request.path_params.get("page") or names.HOME
        try:
            content = render(self._sources, page, self._visit(request))
        except RigError as fault:
            return self._message(request, 503, "The store cannot be read", str(fault))
        if content is None:
            return self._message(request, 404, "No such page", "Nothing of the bench has that address.")
        return _html(content)

    def _static(self, request: Request) -> Response:
        from starlette.responses import Response

        path = STATIC.get(request.path_params["name"])
        if path is None:
            return self._message(request, 404, "No such file", "")
        return Response(path.read_bytes(), media_type=_TYPES[path.suffix])

    async def _events(self, request: Request) -> Response:
        from starlette.responses import PlainTextResponse, StreamingResponse

        del request
        if self._live is None or self._live.followers >= MOST_FOLLOWERS:
            return PlainTextResponse("too many pages are open", 503)
        return StreamingResponse(self._live.follow(), media_type="text/event-stream")

    def _choose(self, request: Request) -> Response:
        """Two runs were chosen in a form; their page has a name of its own."""
        before, after = (request.query_params.get(name, "") for name in ("before", "after"))
        return _see_other(
            f"/{names.compare_page(before, after)}" if before and after else f"/{names.COMPARE}"
        )

    async def _login(self, request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        if request.method != "POST":
            view = View("login.html.j2", "Log in", "", {})
            return _html(rendered(view, names.ANYWHERE, self._visit(request), self._sources.now()))
        form = await read_form(request)
        session = self._sessions.open(form.get("token", ""))
        if session is None:
            return await run_in_threadpool(
                self._message, request, 403, "Wrong token", "Nobody was logged in."
            )
        answer = _see_other("/")
        answer.headers["set-cookie"] = cookie_header(session)
        return answer

    async def _act(self, request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        form = await read_form(request)
        return await run_in_threadpool(self._do, request, request.path_params["what"], form)

    def _do(self, request: Request, what: str, form: Form) -> Response:
        if self._actions is None:
            return self._message(request, 403, "Read only", "This server only shows.")
        try:
            fault = perform(self._actions, what, form)
        except RigError as error:
            return self._message(request, 409, "That did not work", str(error), way_back(form))
        if fault:
            return self._message(request, 400, "That cannot be done", fault, way_back(form))
        return _see_other(f"/{way_back(form)}")

    def _visit(self, request: Request) -> Visit:
        admitted = bool(request.scope.get("state", {}).get("admitted"))
        may_act = self._rules.may_act and admitted
        return Visit(True, may_act, self._rules.token is not None and not admitted)

    def _message(
        self, request: Request, status: int, title: str, words: str, back: str = names.HOME
    ) -> Response:
        says = {"tone": "FAIL", "eyebrow": str(status), "words": words, "back": back}
        view = View("message.html.j2", title, "", says)
        return _html(rendered(view, names.ANYWHERE, self._visit(request), self._sources.now()), status)


def _html(content: str, status: int = 200) -> Response:
    from starlette.responses import HTMLResponse

    return HTMLResponse(content.encode("utf-8", "backslashreplace"), status)


def _see_other(address: str) -> Response:
    from starlette.responses import RedirectResponse

    return RedirectResponse(address, 303)
