"""One decision over several stream ids of a room: all of it is written, or nothing.

    done = await joint.carry_out(issued, (account, item, quota), decide)

`decide` is given the state of every stream id named and answers with facts of any of them. They go
to the log as one atomic batch, each stream id with the sequence at which it was seen: whatever
moved on in between refuses the whole, and we look again. Views, turns and what was decided are
those of the single executions, so a joint decision and a single one on the same stream id know of
each other.

A stream id that is only read cannot carry a condition: the server judges one for each message.
Its turn is held all the same, so within a process nothing changes under the decision; and before
anything is written that rests on it, the leader is asked. Where more is needed, write a fact to
it: what a limit counts is a fact of the stream id that holds the limit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeAlias, TypeVar

from contracts.envelope import Command, Fact, Issued, Refused, log_subject
from eventlog.append import Conflict, Decision
from eventlog.execute import LOOKS, Contended, Decided, Done, Execution, View, insist_on_same, say
from eventlog.message import encode
from eventlog.sealing import seal

C = TypeVar("C", bound=Command)

Name: TypeAlias = tuple[str, str]
"""A stream id with its stream: `("account", "rider-7")`."""
States: TypeAlias = Mapping[Name, Any]
Views: TypeAlias = dict[Name, View[Any]]


class JointExecution:
    """Carries out commands that concern several stream ids of one room."""

    def __init__(self, *executions: Execution[Any, Any]) -> None:
        self._of = {execution.decider.stream: execution for execution in executions}
        first = executions[0]
        self._room, self._appender, self._keys = first.room, first.appender, first.keys

    async def carry_out(
        self,
        issued: Issued[C],
        over: Sequence[Name],
        decide: Callable[[Issued[C], States], Sequence[Fact]],
        *,
        likely_new: Collection[Name] = (),
        quiet: bool = False,
    ) -> Done:
        """Decide the command over these stream ids and write what follows, as one.

        The first of `over` is the one that the answer is about. The names must follow from the
        command alone, so that the same command comes to the same stream ids again. Those of
        `likely_new` are not read first. Raises what `Execution.carry_out` raises.
        """
        names = tuple(dict.fromkeys(over))
        async with AsyncExitStack() as turns:
            for stream, stream_id in sorted(
                names
            ):  # everybody in one order: nobody waits in a ring
                await turns.enter_async_context(self._of[stream].turn(stream_id))
            done = await self._decide(issued, names, decide, likely_new)
        if not quiet:
            say(issued, done, names[0][0])
        return done

    async def _decide(
        self,
        issued: Issued[C],
        names: tuple[Name, ...],
        decide: Callable[[Issued[C], States], Sequence[Fact]],
        likely_new: Collection[Name],
    ) -> Done:
        fingerprint = self._keys.fingerprint(issued.command, issued.actor)
        views: Views = {
            name: await self._of[name[0]].seen(name[1], likely_new=name in likely_new)
            for name in names
        }
        for attempt in range(LOOKS):
            known = any(issued.command_id in view.decided for view in views.values())
            facts: Sequence[Fact] = ()
            if not known:
                try:
                    facts = decide(issued, {name: view.state for name, view in views.items()})
                except Refused:
                    if _all_fresh(views, names):
                        raise
            if facts and _all_fresh(views, set(names) - _written(facts)):
                if done := await self._write(issued, fingerprint, names, views, facts):
                    return done
                await self._look(views, whole=attempt > 0)
            elif not facts and _all_fresh(views, names):
                return _known(views, fingerprint, names[0][1], issued.command_id)
            else:
                await self._look(views, whole=False)
        raise Contended(f"{names}: still contended after {LOOKS} looks")

    async def _look(self, views: Views, *, whole: bool) -> None:
        """Every view as the leader has it now; `whole`: read from the beginning."""
        for (stream, stream_id), view in views.items():
            execution = self._of[stream]
            views[stream, stream_id] = (
                await execution.look(stream_id) if whole else await execution.renew(stream_id, view)
            )

    async def _write(
        self,
        issued: Issued[C],
        fingerprint: str,
        names: tuple[Name, ...],
        views: Views,
        facts: Sequence[Fact],
    ) -> Done | None:
        """Append the decision; None when somebody was faster and we must look again."""
        if strange := _written(facts) - set(names):
            raise ValueError(f"{type(issued.command).__name__} wrote to {strange}, named by nobody")
        sealed = await seal(facts, issued.command_id, self._keys)
        written = _written(facts)
        subjects = {name: log_subject(*name) for name in written}
        messages = encode(
            sealed,
            issued,
            source=self._room,
            fingerprint=fingerprint,
            last_hash={subjects[name]: views[name].hash for name in written},
        )
        expected = {subjects[name]: views[name].sequence for name in written}
        try:
            appended = await self._appender.append(Decision(issued.command_id, messages, expected))
        except Conflict:
            return None
        if appended.duplicate:
            return None
        for name in written:
            own = [i for i, fact in enumerate(facts) if _name(fact) == name]
            decided = Decided(
                fingerprint,
                tuple(sealed[i] for i in own),
                tuple(appended.sequences[i] for i in own),
            )
            head = appended.hashes[own[-1]]
            self._of[name[0]].took(name[1], views[name], issued.command_id, decided, head)
        return Done(names[0][1], tuple(sealed), appended.sequences[-1], known=False)


def _name(fact: Fact) -> Name:
    return fact.stream, fact.stream_id


def _written(facts: Sequence[Fact]) -> set[Name]:
    return {_name(fact) for fact in facts}


def _all_fresh(views: Views, names: Collection[Name]) -> bool:
    return all(views[name].fresh for name in names)


def _known(views: Views, fingerprint: str, about: str, command_id: str) -> Done:
    """The stored answer, put together again; nothing where there was nothing to do."""
    found: list[tuple[int, Fact]] = []
    for view in views.values():
        if earlier := view.decided.get(command_id):
            insist_on_same(earlier, fingerprint, command_id)
            found += zip(earlier.places, earlier.facts, strict=True)
    found.sort(key=lambda placed: placed[0])
    facts = tuple(fact for _, fact in found)
    last = found[-1][0] if found else max(view.sequence for view in views.values())
    return Done(about, facts, last, known=True)
