"""Answers that a healthy server seldom gives, played to the settler; the log it reads is real."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from nats.aio.client import Client

from eventlog.append import Appender, Conflict, Decision, LogFull, Rejected, Stats, Unknown
from eventlog.append.answers import LOST, Answer, Meaning
from eventlog.append.decisions import Entry, frames
from eventlog.append.resolve import Resolver
from eventlog.append.settle import Settler
from tests.eventlog.append.kit import Place, decision

FULL = Answer(Meaning.FULL, code=10077, text="maximum bytes exceeded")
BUG = Answer(Meaning.BUG, code=10054, text="message size exceeds maximum allowed")


class Play:
    """One decision, and the answers that its attempts get."""

    def __init__(self, nc: Client, decided: Decision, budget: float = 5.0) -> None:
        loop = asyncio.get_running_loop()
        framed = frames(decided, nc.max_payload)
        deadline = loop.time() + budget
        self.entry = Entry(decided, framed, loop.create_future(), deadline, lambda _: None)
        self.attempts = 0
        self._nc = nc
        self._answers: list[Answer] = []

    async def run(self, *answers: Answer) -> None:
        self._answers = list(answers)
        settler = Settler(self._attempt, Resolver(self._nc, 1.0), Stats(), lambda _: False)
        await settler.settle([self.entry], await self._attempt([self.entry]), lambda: None)

    async def _attempt(self, entries: Sequence[Entry]) -> Answer:
        self.attempts += 1
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@pytest.mark.parametrize("definite", [FULL, BUG])
async def test_a_no_after_a_doubt_is_a_yes_if_it_is_there(
    nc: Client, appender: Appender, definite: Answer
) -> None:
    decided = decision("c1", "a", facts=2)
    stored = await appender.append(decided)
    play = Play(nc, decided)
    await play.run(LOST, definite)
    assert (await play.entry.future).sequences == stored.sequences


@pytest.mark.parametrize(("definite", "told"), [(FULL, LogFull), (BUG, Rejected)])
async def test_a_no_after_a_doubt_is_a_no_if_it_is_not_there(
    nc: Client, definite: Answer, told: type[Exception]
) -> None:
    play = Play(nc, decision("c1", "a"))
    await play.run(LOST, definite)
    with pytest.raises(told):
        await play.entry.future


async def test_a_refusal_is_not_believed_before_it_can_be_seen(
    nc: Client, appender: Appender
) -> None:
    """A leader that was replaced may not show yet what the refusal spoke of: ours, perhaps."""
    decided = decision("c1", "a")
    play = Play(nc, decided)
    settling = asyncio.create_task(play.run(Answer(Meaning.REFUSED, 1, code=10071)))
    await asyncio.sleep(0.1)
    assert not play.entry.future.done()
    await appender.append(decided)
    await settling
    assert (await play.entry.future).duplicate


async def test_a_refusal_that_is_never_seen_stays_unknown(nc: Client) -> None:
    play = Play(nc, decision("c1", "a"), budget=0.3)
    await play.run(Answer(Meaning.REFUSED, 7, code=10071))
    with pytest.raises(Unknown):
        await play.entry.future


async def test_a_place_beyond_the_end_of_the_log_is_a_conflict(nc: Client) -> None:
    """The log lost something, or the decider is wrong: either way, look again."""
    play = Play(nc, decision("c1", "a", at=Place(50)))
    await play.run(Answer(Meaning.REFUSED, 7, code=10071))
    with pytest.raises(Conflict) as conflict:
        await play.entry.future
    assert conflict.value.actual == {"log.report.a": 7}


async def test_a_duplicate_that_is_another_s_is_a_bug(nc: Client, appender: Appender) -> None:
    await appender.append(decision("other", "a"))
    play = Play(nc, decision("c1", "a"))
    await play.run(Answer(Meaning.DUPLICATE, 1))
    with pytest.raises(Rejected, match="by other"):
        await play.entry.future


async def test_repeating_waits_longer_and_longer_until_the_budget_is_spent(nc: Client) -> None:
    play = Play(nc, decision("c1", "a"), budget=1.5)
    await play.run(LOST)
    with pytest.raises(Unknown, match="repeat it with the same command id"):
        await play.entry.future
    assert 5 <= play.attempts <= 11
