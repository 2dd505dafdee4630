"""A platform's own door for notices: a small web server that believes nothing unsigned."""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

PATH: Final = "/notices"


class Receiver:
    """Takes signed notices (Standard Webhooks) and keeps each once, by its id."""

    def __init__(self) -> None:
        self.secret = "whsec_" + base64.b64encode(os.urandom(24)).decode()
        self.url = ""
        self.notices: dict[str, dict[str, Any]] = {}
        """Verified, by id."""
        self.repeated = 0
        """Verified, and had before: a sender that is not sure sends again."""
        self.unsigned = 0
        """Sent away: no signature, or a wrong one."""
        self._signer = Webhook(self.secret)

    async def take(self, request: web.Request) -> web.Response:
        """One POST."""
        try:
            said = self._signer.verify(await request.read(), dict(request.headers))
        except WebhookVerificationError:
            self.unsigned += 1
            return web.Response(status=401)
        notice_id = request.headers["webhook-id"]
        self.repeated += notice_id in self.notices
        self.notices[notice_id] = said["data"]
        return web.Response(status=204)


@asynccontextmanager
async def open_receiver() -> AsyncIterator[Receiver]:
    """A receiver that listens on loopback, on a port of its own."""
    receiver = Receiver()
    app = web.Application()
    app.add_routes([web.post(PATH, receiver.take)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
        yield receiver
    finally:
        await runner.cleanup()
