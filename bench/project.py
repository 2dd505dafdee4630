"""Rebuilding the table of cases from the log, beside bare reading and copying of the same facts.

    project.rebuild_events_per_s   a whole rebuild: read, fold, write, index, digest, swap
    project.asof_events_per_s      the tables as they were at a sequence, beside that rebuild
    project.rebuild_growth         seconds an event at the full size, over those at a tenth of it
    project.rebuild_memory_growth  the most memory held, likewise

The facts are whole lives of cases, many cases at a time, as a city writes them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bench.figures import Figure, middle
from bench.reading import Done, Task
from contracts.case import (
    CaseClosed,
    CaseDispatched,
    CaseOpened,
    CloseOutcome,
    Pace,
    UnitKind,
    Why,
    WorkAccepted,
    WorkResolved,
    WorkVerified,
)
from contracts.case import Task as CaseTask
from contracts.envelope import Command, Fact, Issued, Sealed, Words, log_subject
from contracts.report import Position
from deploy.credentials import Credentials
from deploy.nats_server import NatsServer
from deploy.permissions import Kind, Party
from deploy.postgres_server import PostgresServer
from deploy.provision import PROVISIONER, provision_streams
from eventlog.append import Appender, Decision
from eventlog.connect import connect_nats
from eventlog.message import NO_HASH, encode

EVENTS: Final = 500_000
SMALLER: Final = 10
"""The small log is the large one's first tenth."""
RUNS: Final = 5
OPEN_CASES: Final = 500
"""Cases that are in work at the same time; each round adds one fact to each."""
WRITER: Final = "router"
READER: Final = "projector"
_BEGAN: Final = datetime(2026, 5, 3, 8, tzinfo=UTC)


async def measure(*, events: int = EVENTS, runs: int = RUNS) -> Iterator[Figure]:
    """All figures, on servers of their own."""
    async with _servers() as place:
        city = _City()
        await place.write(city, events // SMALLER)
        raw, small, past = await place.take_turns(runs, "raw", "rebuild", "asof")
        await place.write(city, events)
        (large,) = await place.take_turns(runs, "rebuild")
    fast, bare = _rate(small), _rate(raw)
    growth = _rate(small) / _rate(large)
    held = [middle([done.memory_mb for done in of]) for of in (small, large)]
    return iter(
        (
            Figure("raw.read_and_copy", bare, "events/s", runs=runs),
            Figure(
                "project.rebuild_events_per_s",
                fast,
                "events/s",
                "raw.read_and_copy",
                bare,
                runs,
                "20000, ratio 0.5",
            ),
            Figure(
                "project.asof_events_per_s",
                _rate(past),
                "events/s",
                "project.rebuild_events_per_s",
                fast,
                runs,
                "ratio 1",
            ),
            Figure("project.rebuild_growth", growth, "times", "aim", 1.2, runs, "1.2"),
            Figure(
                "project.rebuild_memory_growth", held[1] / held[0], "times", "aim", 1.3, runs, "1.3"
            ),
            Figure("project.rebuild_memory", held[1], "MB", runs=runs),
        )
    )


@dataclass
class _Case:
    """A case on its way: what is to come, and where its stream id ends."""

    facts: Iterator[Fact]
    sequence: int = 0
    hash: str = NO_HASH


@dataclass
class _City:
    """Cases in work, and how much of their story is written."""

    written: int = 0
    begun: int = 0
    cases: list[_Case] = field(default_factory=list)

    def round(self, most: int) -> list[tuple[_Case, Fact]]:
        """The next fact of each case in work; cases that end make room for new ones."""
        facts: list[tuple[_Case, Fact]] = []
        for place in range(min(most, OPEN_CASES)):
            if place == len(self.cases):
                self.cases.append(self._next_case())
            fact = next(self.cases[place].facts, None)
            if fact is None:
                self.cases[place] = self._next_case()
                fact = next(self.cases[place].facts)
            facts.append((self.cases[place], fact))
        return facts

    def _next_case(self) -> _Case:
        self.begun += 1
        case = _Case(_life(f"01JTBENCH{self.begun:017d}", f"rider-{self.begun % 2000}"))
        for _ in range(self.begun % 3 if self.begun <= OPEN_CASES else 0):
            next(case.facts)  # not all in step
        return case


def _life(case: str, rider: str) -> Iterator[Fact]:
    """From the report to the end, over a street office and a department."""
    book, area, platform = "yunxi@1", "330299001", "platform-kite"
    street, department, service = "street-taoyuan", "sanitation", "exposed-garbage"
    yield CaseOpened(
        case_id=case,
        report_id=case,
        rider_id=rider,
        platform=platform,
        service_code=service,
        position=Position(lat=29.775, lng=121.3),
        area=area,
        street=street,
        rulebook=book,
    )
    steps = (
        (street, UnitKind.STREET, Why.STREET_FIRST),
        (department, UnitKind.DEPARTMENT, Why.BY_DISPATCHER),
    )
    for number, (unit, kind, why) in enumerate(steps, start=1):
        yield CaseDispatched(
            case_id=case,
            rider_id=rider,
            unit=unit,
            unit_kind=kind,
            dispatch=number,
            service_code=service,
            area=area,
            why=why,
            explanation=Words(zh="街道优先接单", en="the street office takes the order first"),
            suggested=department,
            task=CaseTask.DISPATCH if kind is UnitKind.STREET else CaseTask.HANDLE,
            limit="4 urgent_hours",
            pace=Pace.RUNNING,
            limit_seconds=4 * 3600,
            due_at=_BEGAN + timedelta(hours=4),
            rulebook=book,
        )
        yield WorkAccepted(case_id=case, unit=unit)
    result = Sealed(key=department, box="x" * 180)
    yield WorkResolved(case_id=case, rider_id=rider, unit=department, result=result)
    yield WorkVerified(case_id=case, rider_id=rider, unit=department, verifier="inspection")
    yield CaseClosed(
        case_id=case,
        report_id=case,
        rider_id=rider,
        platform=platform,
        unit=department,
        service_code=service,
        outcome=CloseOutcome.FIXED,
        closed_at=_BEGAN,
    )


@dataclass
class _Place:
    """A log, a database, and who may use them."""

    url: str
    database_url: str
    keys: Credentials
    events: int = 0

    async def write(self, city: _City, up_to: int) -> None:
        """Let the city go on until the log holds so many facts."""
        seed = str(self.keys.seed_file(WRITER))
        nc = await connect_nats(self.url, identity=WRITER, seed_file=seed)
        appender = await Appender.open(nc)
        while self.events < up_to:
            pairs = city.round(up_to - self.events)
            await asyncio.gather(*(self._append(appender, *pair) for pair in pairs))
            self.events += len(pairs)
        await appender.close()
        await nc.close()

    async def _append(self, appender: Appender, case: _Case, fact: Fact) -> None:
        subject = log_subject(fact.stream, fact.stream_id)
        command_id = f"{fact.stream_id}.{case.sequence}"
        at = _BEGAN + timedelta(milliseconds=self.events)
        issued = Issued(Command(), command_id, "sanitation", at, correlation=fact.stream_id)
        (message,) = encode(
            [fact], issued, source="router", fingerprint="0" * 32, last_hash={subject: case.hash}
        )
        done = await appender.append(Decision(command_id, (message,), {subject: case.sequence}))
        case.sequence, case.hash = done.sequences[-1], message.hash

    async def take_turns(self, runs: int, *jobs: str) -> list[list[Done]]:
        """Each job so many times, turn by turn, so that all meet the same weather."""
        done: list[list[Done]] = [[] for _ in jobs]
        for _ in range(runs):
            for job, results in zip(jobs, done, strict=True):
                results.append(await self._run(job))
        return done

    async def _run(self, job: str) -> Done:
        seed = str(self.keys.seed_file(READER))
        task = Task(job, self.url, READER, seed, self.database_url, "router", self.events)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bench.reading",
            json.dumps(asdict(task)),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"{job} of {self.events} events ended with {process.returncode}")
        return Done(**json.loads(out))


@asynccontextmanager
async def _servers() -> AsyncIterator[_Place]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="waggle-bench-")))
        keys = Credentials(folder)
        users = keys.users(
            (
                Party(PROVISIONER, Kind.PROVISIONER),
                Party(WRITER, Kind.SERVICE),
                Party(READER, Kind.PROJECTOR),
            )
        )
        server = await stack.enter_async_context(NatsServer(folder, users))
        postgres = await stack.enter_async_context(PostgresServer(folder))
        await postgres.create_role(READER)
        database_url = await postgres.create_database("bench", READER)
        seed = str(keys.seed_file(PROVISIONER))
        nc = await connect_nats(server.url, identity=PROVISIONER, seed_file=seed)
        await provision_streams(nc.jetstream(timeout=30))
        await nc.close()
        yield _Place(server.url, database_url, keys)


def _rate(done: list[Done]) -> float:
    """Events a second, the median."""
    return middle([one.events / one.seconds for one in done])
