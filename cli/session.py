"""A verb's way into a house: the running one of `--data`, or one of its own for as long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, tzinfo
from functools import reduce
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import asyncpg
import typer
from nats.aio.client import Client
from nats.js import JetStreamContext

from cli.running import Exit, Failure, asked_for_json, err
from contracts.rulebook import NONE_PUBLISHED, Published, Rulebook, gathered, in_force
from deploy.house import AUDITOR, HouseInfo, Outside, Plan, open_house, running_house
from deploy.rulebooks import load_rulebook
from eventlog.connect import FactClient, connect_nats, connect_postgres
from eventlog.read import Unread, read_log
from eventlog.sealing import KeyStore, read_master_key
from eventlog.whole import WholeClient

DataOption = Annotated[
    Path,
    typer.Option(
        "--data", help="The data folder of the house.", envvar="WAGGLE_DATA", file_okay=False
    ),
]
JsonOption = Annotated[
    bool,
    typer.Option(
        "--json", help="One JSON document on stdout, nothing else.", callback=asked_for_json
    ),
]
DEFAULT_DATA = Path("var")
CLOSING: Final = 5.0
"""Seconds for a connection to close: a verb that is done never waits for one that does not."""


class Session:
    """Connections into one house, each made when first asked for and closed at the end."""

    def __init__(self, info: HouseInfo, stack: AsyncExitStack) -> None:
        self.info = info
        self._stack = stack
        self._clients: dict[tuple[str, bool], Client] = {}
        self._pools: dict[str, asyncpg.Pool] = {}
        self._rulebooks: Published | None = None

    async def nats(self, party: str) -> Client:
        """A connection that is this party."""
        return await self._client(party, verbatim=False)

    async def verbatim(self, party: str) -> Client:
        """One that keeps the headers of what it receives byte by byte."""
        return await self._client(party, verbatim=True)

    async def _client(self, party: str, *, verbatim: bool) -> Client:
        if (party, verbatim) not in self._clients:
            seed = self.info.credentials.seed_file(party)
            if party not in (known := self.parties()):
                raise Failure(
                    f"there is no party '{party}' here; there are {', '.join(known)}",
                    Exit.WRONG_INPUT,
                )
            client = await connect_nats(
                self.info.nats_url,
                identity=party,
                seed_file=str(seed),
                kind=WholeClient if verbatim else FactClient,
            )
            self._closing(client.close)
            self._clients[party, verbatim] = client
        return self._clients[party, verbatim]

    def parties(self) -> list[str]:
        """Every party whose credentials are kept in this house."""
        return sorted(file.stem for file in self.info.credentials.folder.glob("*.nk"))

    async def log(self) -> JetStreamContext:
        """The log, for reading."""
        return (await self.nats(AUDITOR)).jetstream(timeout=10)

    async def tables(self) -> asyncpg.Pool:
        """The projections, for reading."""
        return await self._pool(self.info.database_url)

    async def owned_tables(self) -> asyncpg.Pool:
        """The projections, for rebuilding them."""
        return await self._pool(self.info.rebuild_url)

    async def keys(self) -> KeyStore:
        """What opens sealed fields; for officers."""
        return KeyStore(
            await self._pool(self.info.keys_url), read_master_key(self.info.master_key_file)
        )

    async def rulebooks(self) -> Published:
        """Every rule document that was published, in order."""
        if self._rulebooks is None:
            batches = [
                batch async for batch in read_log(await self.log(), subjects=("log.rulebook.>",))
            ]
            facts = (entry for batch in batches for entry in batch if not isinstance(entry, Unread))
            self._rulebooks = reduce(gathered, facts, NONE_PUBLISHED)
        return self._rulebooks

    async def rulebook(self) -> Rulebook:
        """The rules in force."""
        if book := in_force(await self.rulebooks(), datetime.now(UTC)):
            return book
        raise Failure("no rulebook is in force in this house", Exit.NO_HOUSE)

    async def zone(self) -> tzinfo:
        """The time zone of the district, in which times are shown; else UTC."""
        try:
            return ZoneInfo((await self.rulebook()).time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            return UTC

    async def _pool(self, url: str) -> asyncpg.Pool:
        if url not in self._pools:
            pool = await connect_postgres(url)
            self._closing(pool.close)
            self._pools[url] = pool
        return self._pools[url]

    def _closing(self, close: Callable[[], Awaitable[None]]) -> None:
        async def within_reason() -> None:
            try:
                async with asyncio.timeout(CLOSING):
                    await close()
            except TimeoutError:
                # All that was asked for is done; the connection ends with this process.
                err.print("a connection did not close; left as it is", style="dim")

        self._stack.push_async_callback(within_reason)


@asynccontextmanager
async def open_session(
    data: Path, *, quiet: bool = False, services: bool = True
) -> AsyncIterator[Session]:
    """Into the running house of `data`; where none runs, start one and stop it at the end.

    Without `services` the servers are enough: for looking into log and tables, and mending them.
    """
    async with AsyncExitStack() as stack:
        if (there := running_house(data)) is not None:
            info = there
        else:
            if not quiet:
                err.print(f"no house runs in {data}: starting one for this command", style="dim")
            plan = Plan(
                folder=data,
                document=load_rulebook(),
                outside=Outside.from_environment(),
                services=services,
            )
            info, _ = await stack.enter_async_context(open_house(plan))
        yield Session(info, stack)
