"""From a first answer that is not a plain yes to the one definite answer of each decision."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import structlog
from nats.errors import ConnectionClosedError
from nats.errors import Error as NatsError

from eventlog.append.answers import CLOSED, INCOMPLETE, Answer, Meaning
from eventlog.append.decisions import (
    Appended,
    Conflict,
    Entry,
    LogFull,
    Rejected,
    Stats,
    Unknown,
)
from eventlog.append.resolve import NotOurs, Resolver, Stored, Strangers

_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.5
_AT_ONCE: Final = 32
"""How many decisions of a group that fell apart are under way at a time."""

log = structlog.get_logger(__name__)

_Found = TypeVar("_Found")


class Settler:
    """Carries out what an answer means, until every entry has ended.

    `attempt` sends entries once, together; `worth_a_group` says whether they should be together.
    """

    def __init__(
        self,
        attempt: Callable[[Sequence[Entry]], Awaitable[Answer]],
        resolver: Resolver,
        stats: Stats,
        worth_a_group: Callable[[Sequence[Entry]], bool],
    ) -> None:
        self._attempt = attempt
        self._resolver = resolver
        self._stats = stats
        self._worth_a_group = worth_a_group
        self._gate = asyncio.Semaphore(_AT_ONCE)

    def deliver(self, entries: Sequence[Entry], answer: Answer) -> None:
        """All of `entries` were stored just now, side by side; the answer names the last."""
        count = sum(len(entry.frames) for entry in entries)
        place = answer.sequence - count + 1
        self._stats.appended += len(entries)
        self._stats.messages += count
        for entry in entries:
            entry.stored_at(place)
            place += len(entry.frames)

    async def settle(
        self, entries: Sequence[Entry], answer: Answer, published: Callable[[], None]
    ) -> None:
        """Bring all `entries`, sent together and answered so, to their end.

        `published` is called as soon as nothing of them is on the wire any more.
        """
        try:
            if len(entries) == 1:
                await self._settle_one(entries[0], answer, published)
            else:
                await self._settle_group(entries, answer, sifted=False)
        except Exception as error:
            log.error("append_failed", decisions=len(entries), exc_info=error)
            for entry in entries:
                entry.fail(error)
        finally:
            published()

    # One decision.

    async def _settle_one(
        self, entry: Entry, answer: Answer, published: Callable[[], None]
    ) -> None:
        rest, answer = await self._insist([entry], answer)
        published()
        if not rest:
            return
        match answer.meaning:
            case Meaning.STORED if answer.count == len(entry.frames):
                self.deliver(rest, answer)
            case Meaning.DUPLICATE:
                await self._read_duplicate(entry, answer)
            case Meaning.REFUSED:
                await self._look(entry, answer)
            case _ if entry.doubtful:
                await self._look(entry, answer)
            case _:
                self._refuse(entry, answer)

    async def _alone(self, entry: Entry) -> None:
        async with self._gate:
            await self._settle_one(entry, await self._attempt([entry]), lambda: None)

    # A group.

    async def _settle_group(
        self, entries: Sequence[Entry], answer: Answer, *, sifted: bool
    ) -> None:
        """A refused group falls apart: the guilty are found and let go, the others go on.

        One request tells whose stream ids moved on; the rest goes again as a group. Refused once
        more, or with nobody to blame, each goes alone and gets its own answer.
        """
        rest, answer = await self._insist(entries, answer)
        if not rest:
            return
        count = sum(len(entry.frames) for entry in rest)
        if answer.meaning is Meaning.STORED and answer.count == count:
            self.deliver(rest, answer)
            return
        self._stats.fallen_apart += 1
        sift = answer.meaning is Meaning.REFUSED and not sifted
        guilty = await self._moved_on(rest) if sift else set()
        log.info(
            "append_group_refused",
            decisions=len(rest),
            guilty=len(guilty),
            code=answer.code,
            text=answer.text,
        )
        innocent = [entry for entry in rest if entry not in guilty]
        await asyncio.gather(self._go_on(innocent, together=bool(guilty)), *map(self._face, guilty))

    async def _go_on(self, entries: Sequence[Entry], *, together: bool) -> None:
        if together and self._worth_a_group(entries):
            await self._settle_group(entries, await self._attempt(entries), sifted=True)
        else:
            await asyncio.gather(*map(self._alone, entries))

    async def _face(self, entry: Entry) -> None:
        """Its stream id moved on: no attempt can pass any more, so look at once."""
        async with self._gate:
            await self._look(entry, Answer(Meaning.REFUSED))

    async def _moved_on(self, entries: Sequence[Entry]) -> set[Entry]:
        """Those of whom a stream id ends beyond what they expect; none if nobody answers."""
        subjects = [subject for entry in entries for subject in entry.decision.expected]
        try:
            ends = await self._resolver.last(subjects)
        except (NatsError, OSError) as error:
            log.info("append_not_sifted", decisions=len(entries), why=repr(error))
            return set()
        return {
            entry
            for entry in entries
            for subject, place in entry.decision.expected.items()
            if ends.get(subject, 0) > place
        }

    # Repeating.

    async def _insist(
        self, entries: Sequence[Entry], answer: Answer
    ) -> tuple[Sequence[Entry], Answer]:
        """Repeat the identical publish until the answer is definite.

        Those whose budget is spent before are told so and left out. That is safe: each message
        carries its own conditions, however it travels. A group that is incomplete twice running
        has a member that the server will not take: that is definite enough to take it apart.
        """
        pauses = _Pauses()
        incomplete = 0
        while entries and answer.meaning in (Meaning.AGAIN, Meaning.HOPELESS):
            incomplete = incomplete + 1 if answer.code == INCOMPLETE else 0
            if incomplete > 1 and len(entries) > 1:
                break
            for entry in entries:
                entry.doubtful = True
            if answer.meaning is Meaning.AGAIN:
                await pauses.next()
            entries = [entry for entry in entries if self._has_time(entry, answer)]
            if entries:
                self._stats.retries += 1
                answer = await self._attempt(entries)
        return entries, answer

    def _has_time(self, entry: Entry, answer: Answer) -> bool:
        """Whether to go on; whose time is up is told that the outcome is unknown."""
        spent = entry.deadline <= asyncio.get_running_loop().time()
        if spent or answer.meaning is Meaning.HOPELESS:
            self._stats.unknown += 1
            command_id, why = entry.decision.command_id, answer.text
            log.warning("append_unknown", command_id=command_id, why=why)
            entry.fail(Unknown(f"{command_id}: {why}; repeat it with the same command id"))
        return not entry.ended

    # Looking.

    async def _read_duplicate(self, entry: Entry, answer: Answer) -> None:
        """The server has it under this message id: answer with what is stored."""
        decision = entry.decision
        command_id, subject = decision.command_id, decision.messages[0].subject
        try:
            stored = await self._read(
                entry, lambda: self._resolver.at(command_id, subject, answer.sequence)
            )
        except NotOurs as error:
            self._refuse(entry, Answer(Meaning.BUG, code=answer.code, text=str(error)))
        else:
            if stored:
                self._found(entry, stored)

    async def _look(self, entry: Entry, answer: Answer) -> None:
        """Refused: it was us all the same, or it really was not."""
        decision = entry.decision

        async def find() -> Stored | Strangers | None:
            found = await self._resolver.find(decision.command_id, decision.expected)
            behind = isinstance(found, Strangers) and _is_behind(found, entry, answer)
            return None if behind else found

        found: Stored | Strangers | None = await self._read(entry, find)
        if isinstance(found, Stored):
            self._found(entry, found)
        elif found is not None and answer.meaning is Meaning.REFUSED:
            self._stats.conflicts += 1
            entry.fail(Conflict(_actual(found, entry, answer)))
        elif found:
            self._refuse(entry, answer)

    async def _read(
        self, entry: Entry, read: Callable[[], Awaitable[_Found | None]]
    ) -> _Found | None:
        """What `read` gives, asked again while it cannot tell; None when the budget is spent."""
        pauses = _Pauses()
        why = Answer(Meaning.AGAIN, text="the log could not be read in time")
        while self._has_time(entry, why):
            try:
                if found := await read():
                    return found
            except ConnectionClosedError:
                why = CLOSED
            except (NatsError, OSError) as error:
                log.info("append_read_again", command_id=entry.decision.command_id, why=repr(error))
            await pauses.next()
        return None

    def _found(self, entry: Entry, stored: Stored) -> None:
        self._stats.duplicates += 1
        entry.succeed(Appended(stored.sequences, stored.hashes, duplicate=True))

    def _refuse(self, entry: Entry, answer: Answer) -> None:
        command_id, code, text = entry.decision.command_id, answer.code, answer.text
        what = f"{command_id}: {text} ({code})"
        if answer.meaning is Meaning.FULL:
            self._stats.full += 1
            log.error("log_full", command_id=command_id, code=code, text=text)
            entry.fail(LogFull(what))
        else:
            self._stats.rejected += 1
            log.error("append_rejected", command_id=command_id, code=code, text=text)
            entry.fail(Rejected(what))


class _Pauses:
    """Waits of 20 ms, doubling to half a second, each shortened at random."""

    def __init__(self) -> None:
        self._pause = _FIRST_PAUSE

    async def next(self) -> None:
        jitter = random.uniform(0.5, 1.0)
        await asyncio.sleep(self._pause * jitter)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)


def _is_behind(found: Strangers, entry: Entry, answer: Answer) -> bool:
    """Whether a read does not show yet what the refusal spoke of: a leader that was replaced."""
    seen = max((*found.actual.values(), *entry.decision.expected.values()))
    return answer.meaning is Meaning.REFUSED and answer.sequence > seen


def _actual(found: Strangers, entry: Entry, answer: Answer) -> dict[str, int]:
    """Where the subjects end: as read, or as the refusal said where that can mean only one."""
    actual = dict(found.actual)
    if not actual and answer.code and len(entry.decision.expected) == 1:
        (subject,) = entry.decision.expected
        actual[subject] = answer.sequence
    return actual
