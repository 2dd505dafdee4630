"""What the append tests share: decisions made by hand, the whole log read back, a rude network."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import APIError, NotFoundError

from contracts.envelope import Header
from deploy.credentials import Credentials
from deploy.nats_cluster import NatsCluster
from deploy.nats_config import User
from deploy.nats_server import NatsServer
from deploy.permissions import Kind, Party
from deploy.streams import streams
from eventlog.append import Appended, Appender, Conflict, Decision
from eventlog.connect import connect_nats
from eventlog.message import LOG, NO_HASH, Message, chain_hash

WRITER = Party("intake", Kind.SERVICE)
PROVISIONER = Party("provisioner", Kind.PROVISIONER)
STRANGER = Party("sanitation", Kind.UNIT)
_NO_PEERS = 10005
LOG_BYTES = 256 * 1024 * 1024


class Site:
    """A log on real servers, and connections to it as the parties that use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._credentials = Credentials(folder)
        self._connections: list[Client] = []
        self.urls: list[str] = []

    @property
    def users(self) -> tuple[User, ...]:
        return self._credentials.users((WRITER, PROVISIONER, STRANGER))

    async def server(self) -> NatsServer:
        """One server, started."""
        server = NatsServer(self.folder, self.users)
        await server.start()
        self.urls = [server.url]
        return server

    async def cluster(self) -> NatsCluster:
        """Three servers, started."""
        cluster = await NatsCluster.start(self.folder, 3, self.users)
        self.urls = cluster.urls
        return cluster

    async def provision(self, replicas: int = 1, log_bytes: int = LOG_BYTES, **other: Any) -> None:
        """The log stream as the house has it, but for what `other` says."""
        js = (await self.connect(PROVISIONER)).jetstream(timeout=10)
        log = next(s for s in streams(replicas=replicas, log_bytes=log_bytes) if s.name == LOG)
        async with asyncio.timeout(30):
            while True:
                try:
                    await js.add_stream(log.evolve(**other))
                    return
                except APIError as error:
                    if error.err_code != _NO_PEERS:
                        raise
                    await asyncio.sleep(0.1)  # a cluster that just met does not know all of it

    async def connect(self, party: Party = WRITER, urls: Sequence[str] = ()) -> Client:
        seed = str(self._credentials.seed_file(party.name))
        nc = await connect_nats(list(urls or self.urls), identity=party.name, seed_file=seed)
        self._connections.append(nc)
        return nc

    async def close(self) -> None:
        for nc in self._connections:
            with suppress(NatsError, OSError):
                await nc.close()


async def remove(site: Site) -> None:
    """Delete the log, as only the provisioner can."""
    await (await site.connect(PROVISIONER)).jetstream().delete_stream(LOG)


async def remake(site: Site, **settings: Any) -> None:
    """An empty log with other settings."""
    await remove(site)
    await site.provision(**settings)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a subject ends."""

    sequence: int = 0
    hash: str = NO_HASH


BEGINNING = Place()


def decision(
    command_id: str,
    *ids: str,
    at: Mapping[str, Place] | Place = BEGINNING,
    facts: int = 1,
    body: bytes = b'{"a":"fact"}',
) -> Decision:
    """`facts` facts on each stream id of reports named, following what is `at` its end."""
    subjects = [f"log.report.{one}" for one in ids]
    places = {s: at if isinstance(at, Place) else at.get(s, BEGINNING) for s in subjects}
    heads = {s: place.hash for s, place in places.items()}
    messages = []
    for index, subject in enumerate(s for s in subjects for _ in range(facts)):
        one = message(command_id, index, subject, heads[subject], body)
        heads[subject] = one.hash
        messages.append(one)
    return Decision(command_id, tuple(messages), {s: p.sequence for s, p in places.items()})


def message(
    command_id: str, index: int, subject: str, previous: str = NO_HASH, body: bytes = b"{}"
) -> Message:
    """A fact as the house writes it, with every header a real one has."""
    stream_id = subject.rpartition(".")[2]
    headers = {
        Header.SPEC: "1.0",
        Header.SOURCE: "/waggle/intake",
        Header.TIME: "2026-05-03T14:05:00+00:00",
        Header.COMMAND: command_id,
        Header.FINGERPRINT: "5d41402abc4b2a76b9719d911017c592",
        Header.CORRELATION: command_id,
        Header.ACTOR: "platform-kite",
        "content-type": "application/json",
        "Nats-Msg-Id": f"report.{stream_id}:{command_id}.{index}",
        "Nats-Expected-Stream": LOG,
        Header.ID: f"{command_id}.{index}",
        Header.TYPE: "waggle.report.ReportAccepted",
        Header.SUBJECT: stream_id,
        Header.VERSION: "1",
        Header.PREVIOUS: previous,
    }
    headers[Header.HASH] = chain_hash(subject, headers, body)
    return Message(subject, headers, body)


@dataclass(frozen=True, slots=True)
class Found:
    """A message of the log."""

    sequence: int
    subject: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def command_id(self) -> str:
        return self.headers[Header.COMMAND]


async def whole_log(nc: Client) -> list[Found]:
    """Every message, in order."""
    js = nc.jetstream(timeout=10)
    last = (await js.stream_info(LOG)).state.last_seq
    found: list[Found] = []
    reader = await js.subscribe("log.>", stream=LOG, ordered_consumer=True)
    while not found or found[-1].sequence < last:
        if not last:
            break
        msg = await reader.next_msg(timeout=10)
        found.append(Found(msg.metadata.sequence.stream, msg.subject, msg.headers or {}, msg.data))
    await reader.unsubscribe()
    return found


async def end_of(nc: Client, subject: str) -> Place:
    """Where a subject ends, by the leader."""
    while True:
        try:
            last = await nc.jetstream(timeout=1).get_last_msg(LOG, subject)
            break
        except NotFoundError:
            return BEGINNING
        except NatsError:
            await asyncio.sleep(0.05)  # the server is away: it comes back
    return Place(int(last.seq or 0), (last.headers or {})[Header.HASH])


def insist_on_order(log: Sequence[Found]) -> None:
    """Nothing doubled, nothing half, every chain unbroken, every byte as it was hashed."""
    assert [f.sequence for f in log] == list(range(1, len(log) + 1))
    ids = [f.headers["Nats-Msg-Id"] for f in log]
    assert len(ids) == len(set(ids)), "a fact is there twice"
    heads: defaultdict[str, str] = defaultdict(lambda: NO_HASH)
    commands: defaultdict[str, list[Found]] = defaultdict(list)
    for fact in log:
        assert fact.headers[Header.PREVIOUS] == heads[fact.subject], "a chain is broken"
        heads[fact.subject] = fact.headers[Header.HASH]
        assert chain_hash(fact.subject, fact.headers, fact.body) == fact.headers[Header.HASH]
        commands[fact.command_id].append(fact)
    for command_id, facts in commands.items():
        indexes = [fact.headers[Header.ID] for fact in facts]
        assert indexes == [f"{command_id}.{i}" for i in range(len(facts))]
        places = [fact.sequence for fact in facts]
        assert places == list(range(places[0], places[0] + len(facts))), "not side by side"


def insist_on_acknowledged(log: Sequence[Found], acknowledged: Mapping[str, Appended]) -> None:
    """What was acknowledged is where the answer said, as the answer said."""
    for command_id, appended in acknowledged.items():
        for sequence, digest in zip(appended.sequences, appended.hashes, strict=True):
            fact = log[sequence - 1]
            assert fact.command_id == command_id
            assert fact.headers[Header.HASH] == digest


async def write_hot(
    appender: Appender, nc: Client, name: str, hot: Sequence[str], until: asyncio.Event
) -> dict[str, Appended]:
    """Decide on hot stream ids again and again, as a service does: look, append, look again."""
    acknowledged: dict[str, Appended] = {}
    for number, stream_id in zip(itertools.count(), _endless(hot, name), strict=False):
        if until.is_set():
            return acknowledged
        command_id = f"{name}-{number}"
        subject = f"log.report.{stream_id}"
        while command_id not in acknowledged:
            place = await end_of(nc, subject)
            decided = decision(command_id, stream_id, at=place, facts=1 + number % 3)
            with suppress(Conflict):
                acknowledged[command_id] = await appender.append(decided)
    raise AssertionError("unreachable")


def _endless(hot: Sequence[str], name: str) -> Iterator[str]:
    """Each writer begins elsewhere."""
    start = sum(name.encode()) % len(hot)
    return itertools.cycle((*hot[start:], *hot[:start]))


class Proxy:
    """A network between client and server that can lose what the server says, and break."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.deaf = False
        """While true, whatever the server says is lost."""
        self.lost_answer = asyncio.Event()
        """Set when the answer to a publish was lost."""

    async def start(self) -> str:
        """The address that clients connect to."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"nats://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        """Break every connection there is."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def stop(self) -> None:
        self.cut()
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer, answers=True))
        self._writers -= {writer, back}

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if answers and self.deaf:
                    if b'"stream":"LOG"' in data:
                        self.lost_answer.set()
                    continue
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
