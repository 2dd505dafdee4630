"""A whole house in memory: the real decisions, reactions and messages, on a list for a log.

Commands are carried out as `eventlog.execute` does it: a command id that stands in the stream
already is answered from the stream; otherwise the stream is folded, decided on, and what follows is
sealed, encoded, chained and appended. What is read back is what the bytes say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.account import AwardPoints
from contracts.case import OpenCase
from contracts.envelope import (
    Command,
    Fact,
    Issued,
    Recorded,
    Refused,
    Sealed,
    fact_id,
    log_subject,
)
from contracts.report import SubmitReport
from contracts.rulebook import (
    NONE_PUBLISHED,
    Published,
    PublishRulebook,
    Rulebook,
    gathered,
    in_force,
)
from eventlog.decider import Decider
from eventlog.message import Message, decode, encode
from eventlog.receiving import reacting
from eventlog.sealing import seal_value
from services.intake.decider.report import REPORT
from services.points.decider import ACCOUNT, Account
from services.points.reactions import award
from services.points.rules import Rules as PointsRules
from services.router.decider.case import CASE, Case
from services.router.decider.rulebook import RULEBOOK
from services.router.reactions import open_case
from services.router.rules import Rules
from tests.given import NOON

KEY: Final = AESGCM(bytes(32))
"""One key for everybody: who may read what is not the question here."""

Reaction = Callable[[Recorded], Command | None]


def seal_at(person: str, place: str, value: str) -> Sealed:
    """The value under the house's key, bound to its place."""
    return seal_value(KEY, person, place, value)


@dataclass(frozen=True)
class Rooms:
    """What a house runs on. A test puts something broken in the place of one part."""

    report: Decider[Any, Rulebook] = REPORT
    case: Decider[Case, Rules] = CASE
    account: Decider[Account, PointsRules] = ACCOUNT
    rulebook: Decider[Any, None] = RULEBOOK
    open_case: Reaction = open_case
    award: Reaction = award
    seal: Callable[[str, str, str], Sealed] = seal_at
    encode: Callable[..., Sequence[Message]] = encode
    remembers_commands: bool = True

    @property
    def deciders(self) -> tuple[Decider[Any, Any], ...]:
        """One for each stream."""
        return (self.report, self.case, self.account, self.rulebook)


@dataclass(frozen=True)
class Stored:
    """A fact as it was written and as it is read."""

    message: Message
    fact: Recorded


@dataclass(frozen=True)
class Came:
    """What a command came to."""

    facts: tuple[Fact, ...] = ()
    sequence: int = 0
    refused: tuple[str, ...] = ()


@dataclass
class House:
    """The log, and all that may happen to it."""

    rooms: Rooms = Rooms()
    now: datetime = NOON
    log: list[Stored] = field(default_factory=list)
    published: Published = NONE_PUBLISHED
    _streams: dict[str, list[Stored]] = field(default_factory=dict)
    _rules: dict[str, Rules] = field(default_factory=dict)

    def stream(self, stream: str, stream_id: str) -> list[Recorded]:
        """The facts of one stream id, in order."""
        return [s.fact for s in self._streams.get(log_subject(stream, stream_id), ())]

    def streams(self) -> Iterator[list[Stored]]:
        """The facts of every stream id."""
        yield from self._streams.values()

    def case(self, case_id: str) -> Case:
        """What the log says of a case."""
        return self.rooms.case.state_of(self.stream("case", case_id))

    def rules(self, at: datetime | None = None) -> Rules:
        """The rules in force at a moment, or now."""
        book = in_force(self.published, at or self.now)
        assert book is not None, "a house is never without a rulebook"
        return self._rules.get(book.label) or self._rules.setdefault(book.label, Rules(book))

    def carry_out(self, issued: Issued[Any]) -> Came:
        """Bring a command to the room that decides it."""
        command, rooms = issued.command, self.rooms
        match command:
            case PublishRulebook():
                return self._decide(issued, rooms.rulebook, "router", command.name, None)
            case SubmitReport():
                rules = self.rules(issued.at).book
                return self._decide(issued, rooms.report, "intake", command.report_id, rules)
            case AwardPoints():
                earning = PointsRules(self.rules(issued.at).book)
                return self._decide(issued, rooms.account, "points", command.rider_id, earning)
            case _:
                case_id = command.report_id if isinstance(command, OpenCase) else command.case_id
                return self._decide(issued, rooms.case, "router", case_id, self.rules(issued.at))

    def hear(self, fact: Recorded, reaction: str, name: str) -> None:
        """Deliver a fact to a room's reaction, which goes by this name."""
        react: Reaction = getattr(self.rooms, reaction)
        if command := react(fact):
            issued = reacting(fact, command, room=type(command).room, name=name)
            self.carry_out(issued if fact.history else replace(issued, at=self.now))

    def _decide(
        self, issued: Issued[Any], decider: Decider[Any, Any], room: str, stream_id: str, rules: Any
    ) -> Came:
        earlier = self.stream(decider.stream, stream_id)
        fingerprint = _fingerprint(issued.command)
        known = [fact for fact in earlier if fact.command_id == issued.command_id]
        if known and self.rooms.remembers_commands:
            same = known[0].fingerprint == fingerprint
            return _came(known) if same else Came(refused=("command_id_reused",))
        try:
            facts = decider.decide(issued, decider.state_of(earlier), rules)
        except Refused as refusal:
            return Came(refused=tuple(reason.code for reason in refusal.reasons))
        if not facts:
            return Came(sequence=earlier[-1].sequence)
        heads = {log_subject(decider.stream, stream_id): earlier[-1].hash} if earlier else {}
        messages = self.rooms.encode(
            [self._sealed(fact, issued.command_id, i) for i, fact in enumerate(facts)],
            issued,
            source=room,
            fingerprint=fingerprint,
            last_hash=heads,
        )
        return _came([self._store(message) for message in messages])

    def _sealed(self, fact: Fact, command_id: str, index: int) -> Fact:
        its_id = fact_id(fact.stream, fact.stream_id, command_id, index)
        boxes = {
            name: self.rooms.seal(getattr(fact, fact.key_of), f"{its_id}/{name}", value)
            for name in fact.personal
            if isinstance(value := getattr(fact, name), str)
        }
        return fact.model_copy(update=boxes)

    def _store(self, message: Message) -> Recorded:
        sequence = len(self.log) + 1
        fact = decode(
            message.subject,
            message.headers,
            message.body,
            sequence=sequence,
            recorded_at=self.now,
        )
        stored = Stored(message, fact)
        self.log.append(stored)
        self._streams.setdefault(message.subject, []).append(stored)
        self.published = gathered(self.published, fact)
        return fact


def _came(facts: Sequence[Recorded]) -> Came:
    return Came(tuple(fact.body for fact in facts), facts[-1].sequence)


def _fingerprint(command: Command) -> str:
    return sha256(f"{type(command).__name__}\n{command.model_dump_json()}".encode()).hexdigest()
