"""Connections with safe settings: the only place that spells them."""

from __future__ import annotations

from typing import Any, Final

import asyncpg
import structlog
from nats.aio.client import Client

from eventlog.headers import parse_headers
from eventlog.settings import Settings

log = structlog.get_logger()

NATS_OPTIONS: Final[dict[str, Any]] = {
    "max_reconnect_attempts": -1,
    "reconnect_time_wait": 0.25,
    "connect_timeout": 3,
    "ping_interval": 10,
    "max_outstanding_pings": 2,
    "allow_reconnect": True,
    "pending_size": 64 * 1024 * 1024,
}
"""Reconnect for ever and soon: the default gives up after two minutes, for good."""


class FactClient(Client):
    """Reads header blocks in one pass.

    A fact has some twenty headers; with nats-py's own parser, following the log takes twice as
    long.
    """

    _parse_header_lines = staticmethod(parse_headers)


async def report_nats_error(error: Exception) -> None:
    """A permission violation reaches the caller as a mere timeout; its reason only comes here."""
    log.warning("nats_error", error=str(error) or type(error).__name__)


async def connect_nats(
    servers: list[str] | str,
    *,
    identity: str,
    seed_file: str,
    options: dict[str, Any] | None = None,
    kind: type[Client] = FactClient,
) -> Client:
    """A client that is this identity, with a private inbox, reconnecting for ever.

    `servers` is one address, several separated by commas, or a list of them.
    """
    client = kind()
    await client.connect(
        servers.split(",") if isinstance(servers, str) else servers,
        name=identity,
        nkeys_seed=seed_file,
        inbox_prefix=f"_INBOX_{identity}",
        error_cb=report_nats_error,
        **{**NATS_OPTIONS, **(options or {})},
    )
    return client


async def connect_postgres(url: str, *, most: int = 4, tidy: bool = True) -> asyncpg.Pool:
    """A pool whose statements end after a minute rather than never.

    Who leaves nothing behind in a session (no setting, lock or cursor) may say `tidy=False`: it
    saves a round trip after each use.
    """
    return await asyncpg.create_pool(
        url, min_size=1, max_size=most, command_timeout=60, reset=None if tidy else _leave
    )


async def _leave(_: object) -> None:
    """There is nothing to tidy up."""


def read_headers_fast(client: Client) -> None:
    """What `FactClient` does, for a client that somebody else has made."""
    client._parse_header_lines = parse_headers  # type: ignore[method-assign]


def broker_options(settings: Settings) -> dict[str, Any]:
    """What FastStream hands on to the NATS client."""
    return {
        **NATS_OPTIONS,
        "servers": settings.servers,
        "name": settings.identity,
        "inbox_prefix": settings.inbox_prefix,
        "error_cb": report_nats_error,
    }
