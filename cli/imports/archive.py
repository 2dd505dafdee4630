"""Handing history in, as party `archive`: reports in bulk, then their handling on the case.

A case is opened by router when it hears of the report, a moment later. The log tells when.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any, Final
from weakref import WeakValueDictionary

from nats.aio.client import Client
from nats.js import JetStreamContext

from cli.ids import new_id
from cli.imports.messages import FIELDS, BadRow, Message, Place, Problem, Reading, shortened
from cli.running import go_on
from contracts.case import CaseOpened, CaseRefusal, CaseRejected, RecordHandling
from contracts.envelope import Answer, Outcome, Reason
from contracts.report import SubmitReports
from deploy.house import ARCHIVE
from eventlog.asking import PATIENCE, UNDECIDED, NoAnswer, ask, ask_many
from eventlog.read import Unread, follow, head, read_stream
from eventlog.tasks import end

AT_A_TIME: Final = 100
"""Reports in one request."""
BYTES_AT_A_TIME: Final = 400_000
WAITING: Final = 200
"""Handlings that wait for their case or their answer at the same time."""
PAUSE: Final = 0.2

CLOSED_BEFORE: Final = frozenset({CaseRefusal.ALREADY_CLOSED, "command_id_reused"})
"""Refusals of a handling that mean that there is another one already."""
CASES: Final = ("log.case.>",)
Decided = tuple[Answer, bool]
"""An answer, and whether it had been given before."""


@dataclass(slots=True)
class Tally:
    """What has become of the rows so far: `read` is the sum of the three after it."""

    read: int = 0
    accepted: int = 0
    """Rows of which this run has written something."""
    refused: int = 0
    """Rows that are not wholly in the log, each with its reasons in `rows`."""
    known: int = 0
    """Rows that were in the log already."""
    closed: int = 0
    """Rows with a reply whose case stands closed now."""
    rows: list[dict[str, Any]] = field(default_factory=list)

    def take(self, *, known: bool, closed: bool) -> None:
        """A row is in the log."""
        self.read += 1
        self.known += known
        self.accepted += not known
        self.closed += closed

    def refuse(self, place: Place, problems: Sequence[Problem], *, closed: bool = False) -> None:
        """A row is not, or not wholly."""
        self.read += 1
        self.refused += 1
        self.closed += closed
        first, *others = (
            {"column": p.column, "reason": p.reason, "value": p.value} for p in problems
        )
        where = {
            "row": place.row,
            "record": place.record,
            "message_id": shortened(place.message_id),
        }
        self.rows.append({**where, **first, "also": others})


class Openings:
    """Which cases there are by now: heard from the log, for all rows together."""

    def __init__(self, js: JetStreamContext, source: str, after: int) -> None:
        self._js = js
        self._prefix = f"{source}_"
        self._heard: dict[str, bool] = {}
        self._waiting: dict[str, asyncio.Future[bool]] = {}
        self._listener = asyncio.ensure_future(self._listen(after))

    @classmethod
    @asynccontextmanager
    async def heard(cls, js: JetStreamContext, source: str) -> AsyncIterator[Openings]:
        """Listen from now on."""
        openings = cls(js, source, after=await head(js, CASES))
        try:
            yield openings
        finally:
            await end(openings._listener)

    async def of(self, case_id: str) -> bool:
        """Whether a case was opened for a report that was just taken on; waits until it is known.

        Raises `NoAnswer` when router has opened nothing at all for a minute.
        """
        while case_id not in self._heard:
            heard = len(self._heard)
            news = self._waiting.setdefault(case_id, asyncio.Future())
            ends: tuple[asyncio.Future[Any], ...] = (news, self._listener)
            await asyncio.wait(ends, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            if self._listener.done():
                self._listener.result()
            if case_id not in self._heard and len(self._heard) == heard:
                raise NoAnswer(
                    f"router has not opened the case of {case_id} for {PATIENCE:.0f} s; see its "
                    "log, then run the same import again: what is in stays in"
                )
        return self._heard[case_id]

    async def of_known(self, case_id: str) -> bool:
        """The same for a report that was taken on some time ago."""
        async for fact in read_stream(self._js, "case", case_id, leader=True):
            return isinstance(fact.body, CaseOpened)
        return await self.of(case_id)

    async def _listen(self, after: int) -> None:
        async for batch in follow(self._js, after=after, subjects=CASES):
            for entry in batch:
                if isinstance(entry, Unread):
                    continue
                if isinstance(entry.body, CaseOpened | CaseRejected):
                    self._hear(entry.body.case_id, isinstance(entry.body, CaseOpened))

    def _hear(self, case_id: str, opened: bool) -> None:
        if not case_id.startswith(self._prefix):
            return
        self._heard[case_id] = opened
        if (waiting := self._waiting.pop(case_id, None)) and not waiting.done():
            waiting.set_result(opened)


@dataclass(frozen=True, slots=True)
class Archive:
    """One import on its way."""

    nc: Client
    openings: Openings
    reading: Reading
    tally: Tally
    told: Callable[[Tally], None]

    async def hand_in(self, rows: Iterable[Message | BadRow]) -> None:
        """Hand every row in. Raises `NoAnswer` when there is no definite answer to be had."""
        room = asyncio.Semaphore(WAITING)
        turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

        async def handle(message: Message, handling: RecordHandling, known: bool) -> None:
            # Rows that share an id take turns in the order of the file: the first one counts.
            turn = turns.setdefault(handling.case_id, asyncio.Lock())
            try:
                async with turn:
                    await self._handle(message, handling, known)
                self.told(self.tally)
            finally:
                room.release()

        try:
            async with asyncio.TaskGroup() as tasks:
                for chunk in _chunks(self._good(rows)):
                    go_on()
                    for message, (answer, known) in zip(
                        chunk, await self._submitted(chunk), strict=True
                    ):
                        if answer.outcome is not Outcome.ACCEPTED:
                            self._refuse(message, answer)
                        elif message.handling is None:
                            self.tally.take(known=known, closed=False)
                        else:
                            await room.acquire()
                            tasks.create_task(handle(message, message.handling, known))
                    self.told(self.tally)
        except ExceptionGroup as several:
            raise several.exceptions[0] from several

    def _good(self, rows: Iterable[Message | BadRow]) -> Iterator[Message]:
        for row in rows:
            if isinstance(row, BadRow):
                self.tally.refuse(row.place, row.problems)
            else:
                yield row

    async def _submitted(self, chunk: Sequence[Message]) -> list[Decided]:
        """An answer for each; asked again until it is a decision."""
        decided: dict[int, Decided] = {}
        waiting = list(range(len(chunk)))
        give_up = monotonic() + PATIENCE
        while True:
            reports = [chunk[place].report.model_dump(mode="json") for place in waiting]
            command = SubmitReports(reports=reports)
            reply = await ask_many(self.nc, ARCHIVE, command, new_id(), history=True)
            for at, (place, answer) in enumerate(zip(waiting, reply.answers, strict=True)):
                if answer.outcome not in UNDECIDED:
                    decided[place] = (answer, at in reply.known)
                elif monotonic() > give_up:
                    raise NoAnswer(_undecided(chunk[place].place, answer))
            waiting = [place for place in waiting if place not in decided]
            if not waiting:
                return [decided[place] for place in range(len(chunk))]
            await asyncio.sleep(PAUSE)

    async def _handle(self, message: Message, handling: RecordHandling, known: bool) -> None:
        """Record what the office replied, once there is a case to record it on."""
        opened = known or await self.openings.of(handling.case_id)
        answer, before = await self._record(handling, message.handled_at)
        if known and _says(answer, CaseRefusal.NO_SUCH_CASE):
            opened = await self.openings.of_known(handling.case_id)
            answer, before = await self._record(handling, message.handled_at)
        if answer.outcome is Outcome.ACCEPTED:
            self.tally.take(known=known and before, closed=True)
        elif answer.outcome in UNDECIDED:
            raise NoAnswer(_undecided(message.place, answer))
        elif not opened:
            reason = Reason(code=CaseRefusal.NO_SUCH_CASE, detail="the rules open no case for it")
            self._refuse(message, answer.model_copy(update={"reasons": (reason,)}), "reply")
        else:
            self._refuse(message, answer, "reply")

    async def _record(self, handling: RecordHandling, at: datetime | None) -> Decided:
        command_id = f"handled-{handling.case_id}"
        return await ask(self.nc, ARCHIVE, handling, command_id, history_at=at)

    def _refuse(self, message: Message, answer: Answer, about: str = "message_id") -> None:
        """Count a row that the house refused, each reason with the column it is about."""
        problems = []
        for reason in answer.reasons or (Reason(code=answer.outcome),):
            column = FIELDS.get((reason.field or "").partition(".")[0], about)
            words = f"{reason.code}: {reason.detail}" if reason.detail else reason.code
            problems.append(
                Problem(self.reading.name(column), words, shortened(_value(message, column)))
            )
        closed = about == "reply" and any(r.code in CLOSED_BEFORE for r in answer.reasons)
        self.tally.refuse(message.place, problems, closed=closed)


def _chunks(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """As many as fit into one request."""
    chunk: list[Message] = []
    size = 0
    for message in messages:
        bytes_more = len(message.report.model_dump_json().encode())
        if chunk and (len(chunk) == AT_A_TIME or size + bytes_more > BYTES_AT_A_TIME):
            yield chunk
            chunk, size = [], 0
        chunk.append(message)
        size += bytes_more
    if chunk:
        yield chunk


def _says(answer: Answer, code: CaseRefusal) -> bool:
    return any(reason.code == code for reason in answer.reasons)


def _undecided(place: Place, answer: Answer) -> str:
    why = "; ".join(reason.detail or reason.code for reason in answer.reasons)
    return f"row {place.row}: {answer.outcome}: {why}. Run the same import again."


def _value(message: Message, column: str) -> str:
    """What the row says in a column."""
    report = message.report
    values = {
        "message_id": message.place.message_id,
        "user_id": report.rider_id,
        "created_at": report.seen_at.isoformat(),
        "title": report.title,
        "text": report.text,
        "reply": message.handling.result if message.handling else None,
    }
    return values.get(column) or ""
