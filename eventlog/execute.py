"""Load, decide, append; look again on conflict.

A view of a stream id is kept from one command to the next. It may be stale: then the log
refuses the append and we look again; and before a refusal or a "nothing to do" leaves the
house on a kept view, the leader is asked. So a stale view costs a round trip, never a wrong
answer.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar
from weakref import WeakValueDictionary

import structlog
from nats.js import JetStreamContext

from contracts.envelope import (
    Answer,
    Command,
    Fact,
    Issued,
    Outcome,
    Reason,
    Recorded,
    Refused,
    log_subject,
)
from eventlog.append import Appended, Appender, Conflict, Decision
from eventlog.decider import Decider
from eventlog.message import NO_HASH, Message, encode
from eventlog.read import read_stream
from eventlog.sealing import KeyStore, seal, seal_at_hand

log = structlog.get_logger()
S = TypeVar("S")
R = TypeVar("R")

LOOKS: Final = 50
"""How often a conflict is looked at again before the sender is asked to come back."""
KEPT_VIEWS: Final = 20_000


class Contended(Exception):
    """Others kept writing the same stream id; the sender may repeat the command."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a command came to: its facts, where the last one stands, whether it was known before."""

    stream_id: str
    facts: tuple[Fact, ...]
    sequence: int
    known: bool

    def answer(self, refusals: tuple[type[Fact], ...] = ()) -> Answer:
        """The reply to the sender: a recorded refusal is a refusal."""
        for fact in self.facts:
            if isinstance(fact, refusals):
                reasons: tuple[Reason, ...] = getattr(fact, "reasons", ())
                return Answer(
                    outcome=Outcome.REFUSED,
                    id=self.stream_id,
                    sequence=self.sequence,
                    reasons=reasons,
                )
        return Answer(outcome=Outcome.ACCEPTED, id=self.stream_id, sequence=self.sequence)


@dataclass(frozen=True, slots=True)
class _Decided:
    fingerprint: str
    facts: tuple[Fact, ...]
    sequence: int


@dataclass(slots=True)
class _View(Generic[S]):
    """What we know of one stream id, and whether the leader has just told us."""

    state: S
    sequence: int = 0
    hash: str = NO_HASH
    fresh: bool = False
    decided: dict[str, _Decided] = field(default_factory=dict)


class Execution(Generic[S, R]):
    """Carries out the commands of one stream of one room."""

    def __init__(
        self,
        decider: Decider[S, R],
        *,
        room: str,
        appender: Appender,
        js: JetStreamContext,
        keys: KeyStore,
        kept_views: int = KEPT_VIEWS,
    ) -> None:
        self.decider = decider
        self._room = room
        self._appender = appender
        self._js = js
        self._keys = keys
        self._kept_views = kept_views
        self._views: OrderedDict[str, _View[S]] = OrderedDict()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def carry_out(
        self,
        issued: Issued[Command],
        stream_id: str,
        rules: R,
        *,
        likely_new: bool = False,
        quiet: bool = False,
    ) -> Done:
        """Decide the command on the stream id and write what follows.

        With `likely_new` the log is not read first: the append itself finds out if the stream id
        exists already. With `quiet` the caller says in the service log what came of it. Raises
        `Refused`, `Contended`, and what `Appender.append` raises.
        """
        turn = self._turns.setdefault(stream_id, asyncio.Lock())
        async with turn:
            done = await self._decide(issued, stream_id, rules, likely_new)
        if not quiet:
            self._say(issued, done)
        return done

    def begin_new(
        self, issued: Issued[Command], stream_id: str, rules: R
    ) -> Callable[[], Awaitable[Done]]:
        """Begin a command that is likely the first on its stream id; call the result for its end.

        For whoever has many at once: what is decided is handed to the log before the next one is
        looked at, without a task for each. Whatever turns out otherwise (known already, refused,
        somebody faster, a key not at hand) goes the way of `carry_out`.
        """

        async def long_way() -> Done:
            return await self.carry_out(issued, stream_id, rules, likely_new=True, quiet=True)

        if stream_id in self._views:
            return long_way
        view = _View(self.decider.initial_state)
        try:
            facts = self.decider.decide(issued, view.state, rules)
        except Refused:
            return long_way
        sealed = seal_at_hand(facts, issued.command_id, self._keys)
        if not facts or sealed is None:
            return long_way
        fingerprint = self._keys.fingerprint(issued.command, issued.actor)
        messages = self._messages(issued, fingerprint, stream_id, view, sealed)
        stored = self._appender.submit(self._decision(issued, stream_id, view, messages))

        async def short_way() -> Done:
            try:
                appended = await stored
            except Conflict:
                return await long_way()
            if appended.duplicate:
                return await long_way()
            return self._written(issued, fingerprint, stream_id, view, facts, appended)

        return short_way

    def _say(self, issued: Issued[Command], done: Done) -> None:
        log.info(
            "already_decided" if done.known else "facts_appended",
            command=type(issued.command).__name__,
            facts=[type(fact).__name__ for fact in done.facts],
            stream=self.decider.stream,
            id=done.stream_id,
            command_id=issued.command_id,
            correlation=issued.correlation,
            actor=issued.actor,
            sequence=done.sequence,
        )

    async def state(self, stream_id: str, *, at_least: int = 0, fresh: bool = False) -> S:
        """The state of a stream id as seen here, not older than `at_least`; or `fresh`.

        A fact of our own may be heard before the server has told us that it is stored: whoever is
        at work on the stream id is waited for, rather than reading what we are about to know.
        """
        if not fresh and (turn := self._turns.get(stream_id)):
            async with turn:
                pass
        kept = self._views.get(stream_id)
        if fresh or kept is None or kept.sequence < at_least:
            kept = await self._look(stream_id)
        return kept.state

    async def _decide(
        self, issued: Issued[Command], stream_id: str, rules: R, likely_new: bool
    ) -> Done:
        fingerprint = self._keys.fingerprint(issued.command, issued.actor)
        view = self._views.get(stream_id)
        if view is None:
            view = _View(self.decider.initial_state) if likely_new else await self._look(stream_id)
        for _ in range(LOOKS):
            if earlier := view.decided.get(issued.command_id):
                return _repeated(earlier, fingerprint, stream_id, issued.command_id)
            try:
                facts = self.decider.decide(issued, view.state, rules)
            except Refused:
                if view.fresh:
                    raise
                facts = ()
            if facts:
                if done := await self._write(issued, fingerprint, stream_id, view, facts):
                    return done
            elif view.fresh:
                return Done(stream_id, (), view.sequence, known=True)
            view = await self._look(stream_id)
        raise Contended(f"{self.decider.stream} {stream_id}: still contended after {LOOKS} looks")

    async def _write(
        self,
        issued: Issued[Command],
        fingerprint: str,
        stream_id: str,
        view: _View[S],
        facts: Sequence[Fact],
    ) -> Done | None:
        """Append the decision; None when somebody was faster and we must look again."""
        sealed = await seal(facts, issued.command_id, self._keys)
        messages = self._messages(issued, fingerprint, stream_id, view, sealed)
        try:
            appended = await self._appender.append(
                self._decision(issued, stream_id, view, messages)
            )
        except Conflict:
            return None
        if appended.duplicate:
            return None
        return self._written(issued, fingerprint, stream_id, view, facts, appended)

    def _messages(
        self,
        issued: Issued[Command],
        fingerprint: str,
        stream_id: str,
        view: _View[S],
        sealed: Sequence[Fact],
    ) -> tuple[Message, ...]:
        last_hash = {log_subject(self.decider.stream, stream_id): view.hash}
        return encode(
            sealed, issued, source=self._room, fingerprint=fingerprint, last_hash=last_hash
        )

    def _decision(
        self,
        issued: Issued[Command],
        stream_id: str,
        view: _View[S],
        messages: tuple[Message, ...],
    ) -> Decision:
        subject = log_subject(self.decider.stream, stream_id)
        return Decision(issued.command_id, messages, {subject: view.sequence})

    def _written(
        self,
        issued: Issued[Command],
        fingerprint: str,
        stream_id: str,
        view: _View[S],
        facts: Sequence[Fact],
        appended: Appended,
    ) -> Done:
        """The view after our own facts, kept for the next command."""
        view.state = self.decider.fold(facts, view.state)
        view.sequence = appended.sequences[-1]
        view.hash = appended.hashes[-1]
        view.fresh = False
        decided = _Decided(fingerprint, tuple(facts), view.sequence)
        view.decided[issued.command_id] = decided
        self._keep(stream_id, view)
        return Done(stream_id, decided.facts, view.sequence, known=False)

    async def _look(self, stream_id: str) -> _View[S]:
        """Read the stream id: in pages from any replica, and what is newer from the leader."""
        stream = self.decider.stream
        recorded = [r async for r in read_stream(self._js, stream, stream_id)]
        after = recorded[-1].sequence if recorded else 0
        recorded += [
            r async for r in read_stream(self._js, stream, stream_id, after=after, leader=True)
        ]
        view = _View(self.decider.state_of(recorded), fresh=True)
        if recorded:
            view.sequence, view.hash = recorded[-1].sequence, recorded[-1].hash
            view.decided = _decided(recorded)
            self._keep(stream_id, view)
        return view

    def _keep(self, stream_id: str, view: _View[S]) -> None:
        self._views[stream_id] = view
        self._views.move_to_end(stream_id)
        if len(self._views) > self._kept_views:
            self._views.popitem(last=False)


def _decided(recorded: Sequence[Recorded]) -> dict[str, _Decided]:
    decided: dict[str, _Decided] = {}
    for fact in recorded:
        before = decided.get(fact.command_id)
        facts = (*before.facts, fact.body) if before else (fact.body,)
        decided[fact.command_id] = _Decided(fact.fingerprint, facts, fact.sequence)
    return decided


def _repeated(earlier: _Decided, fingerprint: str, stream_id: str, command_id: str) -> Done:
    """The stored answer; a refusal when the id was used for something else."""
    if earlier.fingerprint != fingerprint:
        raise Refused(
            Reason(
                code="command_id_reused",
                detail=f"{command_id} was used for another command already; use a new id",
            )
        )
    return Done(stream_id, earlier.facts, earlier.sequence, known=True)
