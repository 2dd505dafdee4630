"""Appending, beside bare publishes: `python -m bench.append [--quick]`.

One process, one server, `sync_interval: always`, the facts of accepted reports.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import structlog
import uvloop
from nats.aio.client import Client

from bench import raw
from bench.figures import Figure, middle
from contracts.envelope import Header
from deploy.credentials import Credentials
from deploy.nats_server import NatsServer
from deploy.permissions import Kind, Party
from deploy.provision import PROVISIONER, provision_streams
from eventlog.append import Appender, Conflict, Decision
from eventlog.append.atomic import MESSAGE_ID
from eventlog.connect import connect_nats
from eventlog.message import Message

RUNS: Final = 5
IN_FLIGHT: Final = 200
GATHERED: Final = 5_000
"""How many decisions are handed over at once where groups are measured."""
ONE_GUILTY_IN: Final = 200
WRITER: Final = raw.WRITER

Run = Callable[[Sequence[Message]], Awaitable[None]]


async def measure(reference: raw.Raw, *, messages_a_run: int) -> list[Figure]:
    """The figures of appending; each run has facts of its own."""
    n = messages_a_run
    async with _log() as nc:
        appender = await Appender.open(nc)
        single, gathered, with_guilty = (
            partial(run, appender) for run in (_side_by_side, _gathered, _with_guilty)
        )
        await _timed(single, n // 4)  # code warm
        singles = [await _timed(single, n) for _ in range(RUNS)]
        groups = [await _timed(gathered, n) for _ in range(RUNS)]
        guilty = [
            await _timed(with_guilty, n, partial(_others_write, appender)) for _ in range(RUNS)
        ]
        ours = [await _cpu(gathered, n) for _ in range(RUNS)]
        theirs = [await _cpu(partial(_publish_side_by_side, nc), n) for _ in range(RUNS)]
        await appender.close()
    unit = "facts/s"
    many = ("raw.publish_256_in_flight", reference.many, RUNS)
    bare = ("raw.publish_client_cpu", middle(theirs), RUNS)
    return [
        Figure("raw.publish_one_in_flight", reference.one, unit, runs=RUNS),
        Figure("raw.publish_256_in_flight", reference.many, unit, runs=RUNS),
        Figure("append.singles_200_in_flight", middle(singles), unit, *many, "ratio above 1"),
        Figure("append.groups", middle(groups), unit, *many, "10000"),
        Figure("append.groups_one_guilty_in_200", middle(guilty), unit, *many),
        Figure("append.client_cpu", middle(ours), "us/fact", *bare),
    ]


@asynccontextmanager
async def _log() -> AsyncIterator[Client]:
    """An empty log on a server of its own, and the connection of who writes it."""
    with tempfile.TemporaryDirectory(prefix="waggle-bench-") as folder:
        keys = Credentials(Path(folder))
        users = keys.users((Party(PROVISIONER, Kind.PROVISIONER), Party(WRITER, Kind.SERVICE)))
        async with NatsServer(Path(folder), users) as server:
            provisioner = await _connect(server, keys, PROVISIONER)
            await provision_streams(provisioner.jetstream(timeout=30))
            writer = await _connect(server, keys, WRITER)
            yield writer
            await provisioner.close()
            await writer.close()


async def _connect(server: NatsServer, keys: Credentials, party: str) -> Client:
    return await connect_nats(server.url, identity=party, seed_file=str(keys.seed_file(party)))


async def _timed(run: Run, how_many: int, prepare: Run | None = None) -> float:
    """Facts a second."""
    messages = raw.facts(how_many)
    if prepare is not None:
        await prepare(messages)
    began = time.perf_counter()
    await run(messages)
    return how_many / (time.perf_counter() - began)


async def _cpu(run: Run, how_many: int) -> float:
    """Microseconds of this process's processor time for each fact."""
    messages = raw.facts(how_many)
    began = time.process_time()
    await run(messages)
    return (time.process_time() - began) / how_many * 1e6


def _decision(message: Message) -> Decision:
    return Decision(message.headers[Header.COMMAND], (message,), {message.subject: 0})


async def _side_by_side(appender: Appender, messages: Sequence[Message]) -> None:
    """As many callers as there are requests under way in a busy service."""
    waiting = iter(messages)

    async def caller() -> None:
        for message in waiting:
            await appender.append(_decision(message))

    await asyncio.gather(*(caller() for _ in range(IN_FLIGHT)))


async def _gathered(appender: Appender, messages: Sequence[Message]) -> None:
    """As much at once as bulk requests bring."""
    for start in range(0, len(messages), GATHERED):
        some = messages[start : start + GATHERED]
        await asyncio.gather(*(appender.submit(_decision(message)) for message in some))


async def _with_guilty(appender: Appender, messages: Sequence[Message]) -> None:
    """The same, but others wrote some of the stream ids: each group is refused once."""
    for start in range(0, len(messages), GATHERED):
        decided = map(_decision, messages[start : start + GATHERED])
        answers = await asyncio.gather(*map(appender.submit, decided), return_exceptions=True)
        if not any(isinstance(answer, Conflict) for answer in answers):
            raise AssertionError("nobody was guilty")


async def _others_write(appender: Appender, messages: Sequence[Message]) -> None:
    """A fact of somebody else on the stream id of every so many of `messages`."""
    await asyncio.gather(
        *(
            appender.submit(_decision(replace(message, headers=_renamed(message.headers))))
            for message in messages[::ONE_GUILTY_IN]
        )
    )


def _renamed(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {**headers, Header.COMMAND: "other", MESSAGE_ID: f"other-{headers[MESSAGE_ID]}"}


async def _publish_side_by_side(nc: Client, messages: Sequence[Message]) -> None:
    """The client library's publish with its answer, 256 in flight."""
    waiting = iter(messages)
    js = nc.jetstream(timeout=30)

    async def sender() -> None:
        for message in waiting:
            await js.publish(message.subject, message.body, headers=dict(message.headers))

    await asyncio.gather(*(sender() for _ in range(raw.IN_FLIGHT)))


def main() -> None:
    """Print one JSON object a line."""
    parser = argparse.ArgumentParser(prog="bench.append", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work")
    messages = 20_000 // (10 if parser.parse_args().quick else 1)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    for figure in uvloop.run(_all(messages)):
        print(figure.line(), flush=True)


async def _all(messages: int) -> list[Figure]:
    return await measure(await raw.measure(messages_a_run=messages), messages_a_run=messages)


if __name__ == "__main__":
    main()
