"""A reader's way to the log: through a house on this machine, or by an address and a seed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated

import typer
from nats.aio.client import Client
from nats.js import JetStreamContext

from cli.session import Session, open_session
from deploy.house import AUDITOR
from eventlog.connect import connect_nats
from eventlog.whole import WholeClient

AsOption = Annotated[
    str | None,
    typer.Option("--as", metavar="PARTY", help="Who reads: 'auditor', or the seed file's name."),
]
NatsOption = Annotated[
    str | None,
    typer.Option("--nats", metavar="URL", help="A log elsewhere, with --seed-file; no house here."),
]
SeedOption = Annotated[
    Path | None,
    typer.Option("--seed-file", dir_okay=False, exists=True, help="The nkey seed to read it with."),
]


@dataclass(frozen=True, slots=True)
class Door:
    """A connection that keeps what is stored byte by byte."""

    nc: Client
    js: JetStreamContext
    party: str
    zone: tzinfo
    """In which moments are meant that name none: the district's, or UTC where no house is."""
    session: Session | None
    """The house, where it is one on this machine."""


@dataclass(frozen=True, slots=True)
class Way:
    """What was given on the command line to reach the log by."""

    data: Path
    party: str | None
    url: str | None
    seed: Path | None

    def __post_init__(self) -> None:
        if (self.url is None) != (self.seed is None):
            raise typer.BadParameter("--nats and --seed-file go together")

    @property
    def who(self) -> str:
        """The party that reads."""
        return self.party or (self.seed.stem if self.seed else AUDITOR)


@asynccontextmanager
async def open_door(way: Way, *, quiet: bool) -> AsyncIterator[Door]:
    """Connect, and close at the end."""
    if way.url is not None:
        nc = await connect_nats(
            way.url,
            identity=way.who,
            seed_file=str(way.seed),
            kind=WholeClient,
            options=_IMPATIENT,
        )
        try:
            yield Door(nc, nc.jetstream(timeout=10), way.who, UTC, None)
        finally:
            await nc.close()
        return
    async with open_session(way.data, quiet=quiet, services=False) as session:
        nc = await session.verbatim(way.who)
        yield Door(nc, nc.jetstream(timeout=10), way.who, await session.zone(), session)


_IMPATIENT = {"max_reconnect_attempts": 5}
"""Whoever is not let in, or finds nobody, is told so."""
