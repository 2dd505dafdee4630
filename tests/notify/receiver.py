"""A real receiver of webhooks on this machine, that checks all it gets by the standard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks.webhooks import Webhook as Verifier

from services.notify.directory import Address

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Receiver:
    """Verifies each POST and answers with the next status; the last one stays."""

    answers: list[int]
    seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    got: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(Verifier(SECRET).verify(await request.read(), dict(request.headers)))
        self.ids.append(request.headers["webhook-id"])
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await asyncio.sleep(self.seconds)
        return web.Response(status=status, headers=self.headers, text="x" * 100_000)

    @property
    def address(self) -> Address:
        return Address(self.url, SECRET)


@asynccontextmanager
async def receiving(*answers: int, **how: Any) -> AsyncIterator[Receiver]:
    """A receiver that listens on a free port of loopback."""
    receiver = Receiver(list(answers), **how)
    app = web.Application()
    app.router.add_post("/notices", receiver.take)
    async with TestServer(app) as server:
        receiver.url = str(server.make_url("/notices"))
        yield receiver
