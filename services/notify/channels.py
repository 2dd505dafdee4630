"""The two ways out of the house: the outbox that everybody may read, and the signed webhook."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final, Self

import aiohttp
from standardwebhooks.webhooks import Webhook as Signer
from yarl import URL

from contracts.envelope import Header
from contracts.notice import Notice
from eventlog.append import Appender, Conflict, Decision, LogFull
from eventlog.message import Message
from services.notify.addresses import may_post_to
from services.notify.delivery import Delivered, Failed, Outcome
from services.notify.directory import Address

OUTBOX: Final = "OUTBOX"
"""The stream that every party may read."""
WEBHOOK_SECONDS: Final = 10.0
AT_ONCE: Final = 256
"""Posts under way at a time; the next one waits, and its time does not run yet."""
GONE: Final = 410


class Outbox:
    """The append-only stream OUTBOX: one subject for each notice, so each is stored once."""

    def __init__(self, appender: Appender) -> None:
        """`appender` is one for the stream OUTBOX: notices gather there as facts do in the log."""
        self._appender = appender

    async def send(self, notice: Notice) -> Outcome:
        """Store the notice; stored already is as good."""
        subject = f"notice.outbox.{notice.notice_id}"
        body = notice.model_dump_json().encode()
        headers = {
            "Nats-Msg-Id": notice.notice_id,
            "Nats-Expected-Stream": OUTBOX,
            Header.ID: f"outbox.{notice.notice_id}.0",
            Header.COMMAND: notice.notice_id,
            Header.HASH: sha256(body).hexdigest(),
            "content-type": "application/json",
        }
        message = Message(subject, headers, body)
        try:
            await self._appender.append(Decision(notice.notice_id, (message,), {subject: 0}))
        except Conflict:
            return Delivered()
        except LogFull as full:
            return Failed(f"{OUTBOX}: {full}")
        return Delivered()


class PrivateAddress(OSError):
    """A webhook leads to an address inside the walls."""

    def __init__(self) -> None:
        super().__init__("the address is private, or not one that notices are posted to")


class Webhook:
    """Signed POSTs to the receivers' own addresses: Standard Webhooks.

    https://github.com/standard-webhooks/standard-webhooks. It has its own HTTP session, since the
    guard against private addresses sits in the sockets: what is checked is the very address that
    is then connected to, whatever a name resolves to the next time.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        timeout: float = WEBHOOK_SECONDS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._allow_private = allow_private
        self._timeout = timeout
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def open(self) -> None:
        """Be ready to send."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=AT_ONCE, socket_factory=self._guarded_socket),
            timeout=aiohttp.ClientTimeout(total=self._timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"user-agent": "waggle"},
        )

    async def close(self) -> None:
        """Send nothing more."""
        if self._session is not None:
            await self._session.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def send(self, notice: Notice, address: Address) -> Outcome:
        """Post the notice once. 2xx is delivered; 410 means that the receiver wants no more."""
        async with self._turns:
            try:
                url = self._usable(address.url)
                headers, body = signed(notice, address.secret, self._clock())
            except ValueError as error:
                return Failed(str(error), final=True)
            return await self._post(url, headers, body)

    async def _post(self, url: URL, headers: Mapping[str, str], body: bytes) -> Outcome:
        if self._session is None:
            raise RuntimeError("the webhook is not open: await open() first")
        try:
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return _judged(response.status)
        except aiohttp.ClientSSLError as error:
            return Failed(f"no safe connection: {type(error).__name__}")
        except aiohttp.ClientConnectorError as error:
            return _unreachable(error.os_error)
        except TimeoutError:
            return Failed(f"no answer within {self._timeout:g} s")
        except ValueError:
            return Failed("the address is not one that can be posted to", final=True)
        except (aiohttp.ClientError, OSError) as error:
            return Failed(type(error).__name__)

    def _usable(self, address: str) -> URL:
        """The address as a URL. Raises `ValueError` that says what is wrong with it."""
        try:
            url = URL(address)
        except ValueError:
            raise ValueError("the address is not a URL") from None
        schemes = ("https", "http") if self._allow_private else ("https",)
        if url.scheme not in schemes or not url.host:
            raise ValueError(
                f"the address does not begin with {' or '.join(schemes)}:// and a host"
            )
        return url

    def _guarded_socket(self, info: Any) -> socket.socket:
        """A socket for an address that has been resolved, or `PrivateAddress`."""
        family, kind, protocol, _, address = info
        if not may_post_to(address[0], allow_private=self._allow_private):
            raise PrivateAddress
        return socket.socket(family, kind, protocol)


def signed(notice: Notice, secret: str, at: datetime) -> tuple[dict[str, str], bytes]:
    """Headers and body of a POST made at `at`. Raises `ValueError` for an unusable secret."""
    body = json.dumps(
        {
            "type": f"notice.{notice.kind}",
            "timestamp": notice.happened_at.astimezone(UTC).isoformat(),
            "data": notice.model_dump(mode="json"),
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
    moment = at.astimezone(UTC)
    headers = {
        "content-type": "application/json",
        "webhook-id": notice.notice_id,
        "webhook-timestamp": str(math.floor(moment.timestamp())),
        "webhook-signature": Signer(_key(secret)).sign(notice.notice_id, moment, body),
    }
    return headers, body.encode()


def _key(secret: str) -> bytes:
    """The bytes of a secret; a stray character is an error, not something to pass over."""
    encoded = secret.removeprefix("whsec_")
    padding = "=" * (-len(encoded) % 4)
    try:
        key = base64.b64decode(encoded + padding, validate=True)
    except ValueError:
        key = b""
    if not key:
        raise ValueError("the signing secret is not whsec_ and base64")
    return key


def _judged(status: int) -> Outcome:
    """What the receiver's status says."""
    if 200 <= status < 300:
        return Delivered()
    if status == GONE:
        return Failed("410: the receiver wants no more", final=True)
    return Failed(f"HTTP status {status}")


def _unreachable(error: OSError) -> Outcome:
    """A connection that did not come about; to a forbidden address it never will."""
    if isinstance(error, PrivateAddress):
        return Failed(str(error), final=True)
    return Failed(f"no connection: {error.strerror or type(error).__name__}")
