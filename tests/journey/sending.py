"""Sending a command three times, one after the other and at the same time, until it is answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from random import Random
from time import monotonic

import nats.errors
from nats.aio.client import Client

from contracts.envelope import Command, Header
from contracts.report import SubmitReport, SubmitReports
from eventlog.asking import NoAnswer, ask, ask_many
from tests.journey.crew import PATIENCE, Crew, Mailbox
from tests.journey.history import Operation, Try, definite
from tests.journey.journal import Journal

TIMES = 3
PATTERNS = ((1, 1, 1), (3,), (1, 2), (2, 1))
"""How the sendings of a command follow each other: so many at the same time, then so many more."""
LISTEN = 2.0
"""Seconds that a sender listens before the outcome counts as unknown, and it sends again."""


@dataclass
class Sender:
    """Sends for everybody and writes down what they were told."""

    crew: Crew
    history: list[Operation]
    dice: Random
    journal: Journal | None = None

    async def send(self, party: str, command: Command, command_id: str) -> Operation:
        """A request and its answer, three times."""
        operation = await self._begin(party, command, command_id)
        await self._in_a_pattern(lambda: self.ask(operation))
        return operation

    async def ask(self, operation: Operation) -> None:
        """One request, until it is answered."""
        party, command_id = operation.party, operation.command_id
        nc = self.crew.clients[party]

        async def one_try() -> bool:
            began = monotonic()
            answer, known = await ask(nc, party, operation.command, command_id, patience=LISTEN)
            said = definite(answer)
            await self._note(operation, Try(began, monotonic(), said, known if said else None))
            return said is not None

        await _until(one_try, f"{party}: {command_id}")

    async def send_many(
        self, platform: str, reports: Sequence[SubmitReport], command_id: str
    ) -> list[Operation]:
        """Many reports in one request, three times, and an answer for each."""
        operations = [await self._begin(platform, report, report.report_id) for report in reports]
        bulk = SubmitReports(reports=[report.model_dump(mode="json") for report in reports])
        nc = self.crew.clients[platform]

        async def one_try() -> bool:
            began = monotonic()
            try:
                said = await ask_many(nc, platform, bulk, command_id, patience=LISTEN)
            except NoAnswer:
                for operation in operations:
                    await self._note(operation, Try(began, monotonic(), None))
                return False
            answers = [definite(answer) for answer in said.answers]
            for n, (operation, answer) in enumerate(zip(operations, answers, strict=True)):
                known = n in said.known if answer else None
                await self._note(operation, Try(began, monotonic(), answer, known))
            return all(answers)

        await self._in_a_pattern(lambda: _until(one_try, f"{platform}: {command_id}"))
        return operations

    async def drop(self, platform: str, report: SubmitReport) -> Operation:
        """Into the platform's inbox, three times; the answers come when they come."""
        operation = await self._begin(platform, report, report.report_id)
        box = self.crew.mailboxes[platform]
        began = monotonic()
        drops = iter(range(TIMES))
        await self._in_a_pattern(lambda: self._drop(box, report, next(drops), operation))
        for _ in range(TIMES):
            answer = await box.answer(report.report_id)
            await self._note(operation, Try(began, monotonic(), definite(answer)))
        return operation

    async def _drop(
        self, box: Mailbox, report: SubmitReport, number: int, operation: Operation
    ) -> None:
        """Until it is stored: what is dropped again under its message id is not stored twice."""
        headers = {
            Header.ID: report.report_id,
            Header.TYPE: type(report).__name__,
            "Nats-Msg-Id": f"{report.report_id}-{number}",
        }
        body = report.model_dump_json().encode()

        async def one_try() -> bool:
            began = monotonic()
            stored = await _stored(box.nc, f"inbox.{box.platform}", body, headers)
            if not stored:
                await self._note(operation, Try(began, monotonic(), None))
            return stored

        await _until(one_try, f"{box.platform}: {report.report_id} into the inbox")

    async def _begin(self, party: str, command: Command, command_id: str) -> Operation:
        """An operation that is written down before anything of it is sent."""
        operation = Operation(party, command, command_id, number=len(self.history))
        self.history.append(operation)
        if self.journal is not None:
            self.journal.begin(operation)
            await self.journal.synced()
        return operation

    async def _note(self, operation: Operation, tried: Try) -> None:
        """What came of a try, written down before the sender acts on it."""
        operation.tries.append(tried)
        if self.journal is not None:
            self.journal.note(operation, tried)
            await self.journal.synced()

    async def _in_a_pattern(self, once: Callable[[], Awaitable[None]]) -> None:
        for at_once in self.dice.choice(PATTERNS):
            await asyncio.gather(*(once() for _ in range(at_once)))


async def _until(one_try: Callable[[], Awaitable[bool]], what: str) -> None:
    """Try again, unchanged, until there is a definite answer."""
    give_up = monotonic() + PATIENCE
    while not await one_try():
        if monotonic() > give_up:
            raise AssertionError(f"{what}: no definite answer in {PATIENCE:g} s")
        await asyncio.sleep(0.05)


async def _stored(nc: Client, subject: str, body: bytes, headers: dict[str, str]) -> bool:
    """Whether the server says that it keeps the message."""
    try:
        reply = await nc.request(subject, body, timeout=LISTEN, headers=headers)
    except (nats.errors.Error, OSError):
        return False
    return "error" not in json.loads(reply.data)
