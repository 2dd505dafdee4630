"""`/livez` and `/readyz` of a process, and `/metrics` where it counts something."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import aiohttp
from aiohttp import web

Check = Callable[[], Awaitable[str | None]]
"""None when all is well, else what is wrong."""


class Health:
    """A small HTTP door on loopback: alive is answering, ready is every check passed."""

    def __init__(
        self, checks: Mapping[str, Check], metrics: Callable[[], str] | None = None
    ) -> None:
        self._checks = dict(checks)
        self._metrics = metrics
        self._runner: web.AppRunner | None = None

    async def start(self, port: int) -> None:
        """Listen on loopback; port 0 means no door at all."""
        if not port:
            return
        app = web.Application()
        app.add_routes([web.get("/livez", self._livez), web.get("/readyz", self._readyz)])
        if self._metrics is not None:
            app.add_routes([web.get("/metrics", self._counted)])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()

    async def stop(self) -> None:
        """Close the door."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def _livez(self, _: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def _counted(self, _: web.Request) -> web.Response:
        text = self._metrics() if self._metrics else ""
        return web.Response(text=text, content_type="text/plain", charset="utf-8")

    async def _readyz(self, _: web.Request) -> web.Response:
        wrong = {name: await _outcome(check) for name, check in self._checks.items()}
        ready = not any(wrong.values())
        checks = {name: reason or "ok" for name, reason in wrong.items()}
        return web.json_response({"ready": ready, "checks": checks}, status=200 if ready else 503)


async def _outcome(check: Check) -> str | None:
    try:
        return await check()
    except Exception as error:  # noqa: BLE001 - a check that breaks has failed, and says how
        return f"{type(error).__name__}: {error}"


def nats_healthz(monitor_url: str | None) -> Check:
    """The server's own word: a full disk or a lost store shows only here."""

    async def check() -> str | None:
        if monitor_url is None:
            return None
        timeout = aiohttp.ClientTimeout(total=2)
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(f"{monitor_url}/healthz") as answer,
        ):
            return None if answer.status == 200 else (await answer.text())[:300]

    return check
