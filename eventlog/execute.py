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
class Decided:
    """What a command came to on one stream id."""

    fingerprint: str
    facts: tuple[Fact, ...]
    places: tuple[int, ...]
    """Where they stand in the log."""

    @property
    def sequence(self) -> int:
        """Where the last of them stands."""
        return self.places[-1]


@dataclass(slots=True)
class View(Generic[S]):
    """What we know of one stream id, and whether the leader has just told us."""

    state: S
    sequence: int = 0
    hash: str = NO_HASH
    fresh: bool = False
    decided: dict[str, Decided] = field(default_factory=dict)


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
        self.room = room
        self.appender = appender
        self.keys = keys
        self._js = js
        self._kept_views = kept_views
        self._views: OrderedDict[str, View[S]] = OrderedDict()
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
        async with self.turn(stream_id):
            done = await self._decide(issued, stream_id, rules, likely_new)
        if not quiet:
            say(issued, done, self.decider.stream)
        return done

    def turn(self, stream_id: str) -> asyncio.Lock:
        """Whoever decides on a stream id holds this: one at a time within a process."""
        return self._turns.setdefault(stream_id, asyncio.Lock())

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
        view = View(self.decider.initial_state)
        try:
            facts = self.decider.decide(issued, view.state, rules)
            sealed = seal_at_hand(facts, issued.command_id, self.keys)
        except Refused:
            return long_way
        if not facts or sealed is None:
            return long_way
        fingerprint = self.keys.fingerprint(issued.command, issued.actor)
        messages = self._messages(issued, fingerprint, stream_id, view, sealed)
        stored = self.appender.submit(self._decision(issued, stream_id, view, messages))

        async def short_way() -> Done:
            try:
                appended = await stored
            except Conflict:
                return await long_way()
            if appended.duplicate:
                return await long_way()
            return self._written(issued, fingerprint, stream_id, view, sealed, appended)

        return short_way

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
            kept = await self.look(stream_id)
        return kept.state

    async def _decide(
        self, issued: Issued[Command], stream_id: str, rules: R, likely_new: bool
    ) -> Done:
        fingerprint = self.keys.fingerprint(issued.command, issued.actor)
        view = await self.seen(stream_id, likely_new=likely_new)
        for _ in range(LOOKS):
            if earlier := view.decided.get(issued.command_id):
                insist_on_same(earlier, fingerprint, issued.command_id)
                return Done(stream_id, earlier.facts, earlier.sequence, known=True)
            try:
                facts = self.decider.decide(issued, view.state, rules)
                sealed = await seal(facts, issued.command_id, self.keys)
            except Refused:
                if view.fresh:
                    raise
                sealed = []
            if sealed:
                if done := await self._write(issued, fingerprint, stream_id, view, sealed):
                    return done
            elif view.fresh:
                return Done(stream_id, (), view.sequence, known=True)
            view = await self.look(stream_id)
        raise Contended(f"{self.decider.stream} {stream_id}: still contended after {LOOKS} looks")

    async def _write(
        self,
        issued: Issued[Command],
        fingerprint: str,
        stream_id: str,
        view: View[S],
        sealed: Sequence[Fact],
    ) -> Done | None:
        """Append the decision; None when somebody was faster and we must look again."""
        messages = self._messages(issued, fingerprint, stream_id, view, sealed)
        try:
            appended = await self.appender.append(self._decision(issued, stream_id, view, messages))
        except Conflict:
            return None
        if appended.duplicate:
            return None
        return self._written(issued, fingerprint, stream_id, view, sealed, appended)

    def _messages(
        self,
        issued: Issued[Command],
        fingerprint: str,
        stream_id: str,
        view: View[S],
        sealed: Sequence[Fact],
    ) -> tuple[Message, ...]:
        last_hash = {log_subject(self.decider.stream, stream_id): view.hash}
        return encode(
            sealed, issued, source=self.room, fingerprint=fingerprint, last_hash=last_hash
        )

    def _decision(
        self,
        issued: Issued[Command],
        stream_id: str,
        view: View[S],
        messages: tuple[Message, ...],
    ) -> Decision:
        subject = log_subject(self.decider.stream, stream_id)
        return Decision(issued.command_id, messages, {subject: view.sequence})

    def _written(
        self,
        issued: Issued[Command],
        fingerprint: str,
        stream_id: str,
        view: View[S],
        sealed: Sequence[Fact],
        appended: Appended,
    ) -> Done:
        """What we wrote, and the view after it: as it is stored, so that nothing personal outlives
        its key in a view.
        """
        decided = Decided(fingerprint, tuple(sealed), appended.sequences)
        self.took(stream_id, view, issued.command_id, decided, appended.hashes[-1])
        return Done(stream_id, decided.facts, view.sequence, known=False)

    def took(
        self, stream_id: str, view: View[S], command_id: str, decided: Decided, head: str
    ) -> None:
        """The log took these facts of ours: the view after them, kept for the next command."""
        view.state = self.decider.fold(decided.facts, view.state)
        view.sequence, view.hash, view.fresh = decided.sequence, head, False
        view.decided[command_id] = decided
        self.keep(stream_id, view)

    async def look(self, stream_id: str) -> View[S]:
        """Read the stream id: in pages from any replica, and what is newer from the leader."""
        stream = self.decider.stream
        recorded = [r async for r in read_stream(self._js, stream, stream_id)]
        after = recorded[-1].sequence if recorded else 0
        recorded += [
            r async for r in read_stream(self._js, stream, stream_id, after=after, leader=True)
        ]
        view = View(self.decider.state_of(recorded), fresh=True)
        if recorded:
            view.sequence, view.hash = recorded[-1].sequence, recorded[-1].hash
            view.decided = _decided(recorded)
            self.keep(stream_id, view)
        return view

    async def seen(self, stream_id: str, *, likely_new: bool = False) -> View[S]:
        """The view that is kept, or a first look; of what is likely new, a guess.

        However fresh it was when it was kept: others may have written since.
        """
        if (view := self._views.get(stream_id)) is not None:
            view.fresh = False
            return view
        return View(self.decider.initial_state) if likely_new else await self.look(stream_id)

    async def renew(self, stream_id: str, view: View[S]) -> View[S]:
        """The view with what came since, by the leader; a whole look where it does not follow."""
        stream, after = self.decider.stream, view.sequence
        if not after:
            return await self.look(stream_id)
        newer = [
            r async for r in read_stream(self._js, stream, stream_id, after=after, leader=True)
        ]
        if newer and newer[0].previous_hash != view.hash:
            return await self.look(stream_id)
        view.fresh = True
        if newer:
            view.state = self.decider.fold((r.body for r in newer), view.state)
            view.sequence, view.hash = newer[-1].sequence, newer[-1].hash
            view.decided |= _decided(newer)
        return view

    def keep(self, stream_id: str, view: View[S]) -> None:
        """Keep a view for the next command; the one used longest ago goes."""
        self._views[stream_id] = view
        self._views.move_to_end(stream_id)
        if len(self._views) > self._kept_views:
            self._views.popitem(last=False)


def say(issued: Issued[Command], done: Done, stream: str) -> None:
    """Tell the service log what came of a command."""
    log.info(
        "already_decided" if done.known else "facts_appended",
        command=type(issued.command).__name__,
        facts=[type(fact).__name__ for fact in done.facts],
        stream=stream,
        id=done.stream_id,
        command_id=issued.command_id,
        correlation=issued.correlation,
        actor=issued.actor,
        sequence=done.sequence,
    )


def _decided(recorded: Sequence[Recorded]) -> dict[str, Decided]:
    decided: dict[str, Decided] = {}
    for fact in recorded:
        before = decided.get(fact.command_id)
        facts = (*before.facts, fact.body) if before else (fact.body,)
        places = (*before.places, fact.sequence) if before else (fact.sequence,)
        decided[fact.command_id] = Decided(fact.fingerprint, facts, places)
    return decided


def insist_on_same(earlier: Decided, fingerprint: str, command_id: str) -> None:
    """Refuse an id that was used for something else."""
    if earlier.fingerprint != fingerprint:
        raise Refused(
            Reason(
                code="command_id_reused",
                detail=f"{command_id} was used for another command already; use a new id",
            )
        )
