"""A wire between a house and a server: it may lose, double and hold back what passes, or break.

A rule sees every message of every connection, and says what goes on in its place. So a fault hits
one exact moment (an acknowledgement, a COMMIT) of a process that knows nothing of it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.faults.frames import Cutter, Frame, NatsCutter, PostgresCutter

CHUNK = 65536
HOST = "127.0.0.1"


@dataclass(eq=False)
class Link:
    """One connection."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    owner: str = ""
    """The party whose connection it is (NATS), or the database that it is to (PostgreSQL)."""
    backend: int = 0
    """The process that serves it (PostgreSQL)."""
    mute: bool = False
    """Whatever is said is lost, and nobody is told."""

    def break_off(self) -> None:
        """At once, in both directions."""
        self.client.transport.abort()
        self.server.transport.abort()

    def up(self, data: bytes) -> None:
        """Say something to the server."""
        self.server.write(data)

    def down(self, data: bytes) -> None:
        """Say something to the client."""
        self.client.write(data)


Rule = Callable[[Frame, Link, bool], Iterable[Frame]]
"""What goes on instead of a message; True: it goes up, to the server."""


@dataclass
class Wire:
    """A port that leads to a server."""

    target: int
    cutters: Callable[[], tuple[Cutter, Cutter]]
    """For what goes up, and for what comes down."""
    links: set[Link] = field(default_factory=set)
    rules: list[Rule] = field(default_factory=list)
    port: int = 0

    @contextmanager
    def under(self, rule: Rule) -> Iterator[None]:
        """While a rule holds."""
        self.rules.append(rule)
        try:
            yield
        finally:
            self.rules.remove(rule)

    def of(self, owner: str) -> list[Link]:
        """The connections of one party."""
        return [link for link in self.links if link.owner == owner]

    def through(self, url: str) -> str:
        """The address of the server, by way of this wire."""
        return url.replace(f":{urlsplit(url).port}", f":{self.port}")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Wire]:
        """Listening on a port of its own."""
        server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for link in tuple(self.links):
                link.break_off()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(HOST, self.target)
        except OSError:
            writer.transport.abort()
            return
        link = Link(writer, back)
        self.links.add(link)
        up, down = self.cutters()
        try:
            await asyncio.gather(
                self._carry(reader, back, up, link, True),
                self._carry(there, writer, down, link, False),
            )
        finally:
            self.links.discard(link)

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        cutter: Cutter,
        link: Link,
        goes_up: bool,
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                for frame in cutter.feed(data):
                    _introduce(frame, link, goes_up)
                    for passed in self._ruled(frame, link, goes_up):
                        if not link.mute:
                            writer.write(passed.data)
                await writer.drain()
        link.break_off()

    def _ruled(self, frame: Frame, link: Link, goes_up: bool) -> Iterable[Frame]:
        frames = [frame]
        for rule in self.rules:
            frames = [left for one in frames for left in rule(one, link, goes_up)]
        return frames


def nats_wire(port: int) -> Wire:
    """A wire to a nats-server."""
    return Wire(port, lambda: (NatsCutter(), NatsCutter()))


def postgres_wire(port: int) -> Wire:
    """A wire to a PostgreSQL."""
    return Wire(port, lambda: (PostgresCutter(from_client=True), PostgresCutter(from_client=False)))


def _introduce(frame: Frame, link: Link, goes_up: bool) -> None:
    """Whose connection it is, as soon as that was said."""
    if goes_up and frame.kind == "CONNECT":
        link.owner = json.loads(frame.data.partition(b" ")[2]).get("name", "")
    elif goes_up and not frame.kind and "database" in frame.about:
        words = frame.about.split()
        link.owner = words[words.index("database") + 1]
    elif not goes_up and frame.kind == "K":
        link.backend = int.from_bytes(frame.data[5:9])
