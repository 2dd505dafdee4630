"""One performance, from the first line to the last check."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from nats.aio.client import Client

from cli.demo import findings, frame, pages, tables
from cli.demo.checks import Check, Evidence, checks
from cli.demo.desks import open_desks
from cli.demo.expected import Ending, ending
from cli.demo.names import Names
from cli.demo.playing import Cast, introduce, play
from cli.demo.receiver import Receiver
from cli.demo.scenes import Played, scenes, shortened
from cli.demo.screen import Screen
from cli.demo.telling import SoFar, Teller
from cli.demo.totals import Totals, totals
from cli.demo.witness import Witness, open_witness
from cli.passbook import passbook_of
from cli.rebuild import as_document
from cli.running import Failure
from cli.session import Session
from cli.story.story import Fate, Story, day
from cli.timeline import story as story_of
from contracts.account import PointsAwarded
from contracts.rulebook import Platform, Rulebook, Unit
from deploy.projections import PROJECTIONS
from eventlog.rebuild import RebuildRuns, RebuildStopped, Rebuilt, rebuild

REMARKABLE: Final = (
    Fate.REFUSED,
    Fate.LEFT_OPEN,
    Fate.CLOSED,
    Fate.RETURNED,
    Fate.REWORKED,
    Fate.RETURNED_AND_REWORKED,
)
"""Fates, the most eventful last."""
MIDNIGHT: Final = 24


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be performed."""

    reports: int
    pace: float | None
    everything: bool
    seed: int
    on: date
    """The day of the story: one that is over."""


@dataclass(slots=True)
class Clock:
    """How long each part took, in seconds."""

    seconds: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.monotonic)

    def lap(self, name: str) -> float:
        """A part has ended."""
        now = time.monotonic()
        self.seconds[name], self._last = now - self._last, now
        return self.seconds[name]


@dataclass(frozen=True, slots=True)
class Result:
    """How it went."""

    on: date
    totals: Totals
    checks: Sequence[Check]
    rebuilt: Sequence[Rebuilt]
    seconds: dict[str, float]
    eventful: str
    """The report with the longest way."""
    rider: str
    """Who earned the most."""

    @property
    def is_well(self) -> bool:
        """Whether everything is as it must be."""
        return all(c.holds for c in self.checks) and all(one.equal for one in self.rebuilt)

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "ok": self.is_well,
            "day": self.on.isoformat(),
            "totals": self.totals.document(),
            "checks": [check.document() for check in self.checks],
            "projections": [as_document(one) for one in self.rebuilt],
            "seconds": {
                **{name: round(took, 3) for name, took in self.seconds.items()},
                "total": round(sum(self.seconds.values()), 3),
            },
            "eventful_report": self.eventful,
            "best_rider": self.rider,
        }


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a story is performed."""

    book: Rulebook
    story: Story
    session: Session
    receiver: Receiver
    screen: Screen

    @property
    def hooked(self) -> str:
        """The platform whose riders are also told by webhook."""
        return self.book.platforms[0].code


def stage(
    asked: Asked, book: Rulebook, session: Session, receiver: Receiver, screen: Screen
) -> Stage:
    """Set the story that was asked for."""
    story = shortened(day(book, seed=asked.seed, on=asked.on), asked.reports)
    return Stage(book, story, session, receiver, screen)


async def perform(asked: Asked, on: Stage, clock: Clock) -> Result:
    """Play the day, show it, and compare how it ends with the story."""
    told = ending(on.story, on.book, on.hooked)
    async with _cast(on) as cast:
        await _introduce(on, cast)
        on.screen.say(frame.opening(on.story, on.book))
        played = await _play(asked, on, cast)
        clock.lap("day")
        on.screen.waits("waiting for the last points and notices, and for the tables ...")
        await _settle(on, cast.witness, told)
        clock.lap("settling")
        found = await findings.found(on.session, cast.desks.values())
        sums = totals(found, cast.witness.facts, (unit.code for unit in on.book.units))
        _show_totals(on, sums)
        eventful, rider = _eventful(on.story), _best(on.story, found)
        await _show_timeline(on, eventful)
        await _show_passbook(on, rider)
        clock.lap("telling")
        rebuilt = await _rebuild(on)
        clock.lap("rebuild")
        # The tables that are compared with the story are the rebuilt ones.
        evidence = await _evidence(on, played, cast.witness)
        held = checks(told, await findings.found(on.session, cast.desks.values()), evidence)
        on.screen.page("与故事逐项核对", "Compared with the story", tables.checks_table(held))
        clock.lap("checks")
    return Result(on.story.on, sums, held, rebuilt, clock.seconds, eventful, rider)


@asynccontextmanager
async def _cast(on: Stage) -> AsyncIterator[Cast]:
    """Everybody connects with their own credentials; units begin to pull their orders."""

    async def connected(parties: Iterable[Unit | Platform]) -> list[tuple[str, Client]]:
        codes = [party.code for party in parties]
        return list(zip(codes, await asyncio.gather(*map(on.session.nats, codes)), strict=True))

    platforms, units = await connected(on.book.platforms), await connected(on.book.units)
    async with open_witness(await on.session.log()) as witness, open_desks(units) as desks:
        yield Cast(dict(platforms), desks, witness)
        await asyncio.gather(*(desk.leave() for desk in desks.values()))


async def _introduce(on: Stage, cast: Cast) -> None:
    """Riders and the webhook are known, and read out of the log, before the day begins."""
    last = await introduce(on.story, cast, on.hooked, on.receiver.url, on.receiver.secret)
    await findings.wait_for_table(on.session, "intake", last)


async def _play(asked: Asked, on: Stage, cast: Cast) -> list[Played]:
    teller, so_far = Teller(on.story, on.book, everything=asked.everything), SoFar()
    cut = scenes(on.story)
    with on.screen.day(len(cut), cast.witness.counters) as advance:

        def tell(played: Played) -> None:
            at = played.scene.at
            on.screen.hour(at.hour, so_far)
            so_far.take(played)
            advance(teller.line(played), f"{at:%H:%M}")

        played = await play(cut, cast, tell, asked.pace)
        on.screen.hour(MIDNIGHT, so_far)
    return played


async def _settle(on: Stage, witness: Witness, told: Ending) -> None:
    """Until all that must follow is in the log and in the tables.

    What does not come is not waited for without end: the checks name it.
    """
    due = told.by_channel()
    awards = sum(case.outcome is not None for case in told.cases.values())

    def settled(seen: Witness) -> bool:
        enough = all(seen.told[channel] >= n for channel, n in due.items())
        return enough and seen.seen[PointsAwarded] >= awards

    await witness.until(settled)
    await findings.wait_for_tables(on.session)


def _show_totals(on: Stage, sums: Totals) -> None:
    on.screen.page(
        "全天合计",
        "The day's totals",
        tables.totals_table(sums, len(on.receiver.notices)),
        tables.units_table(sums, on.book.units),
    )


async def _show_timeline(on: Stage, report_id: str) -> None:
    """One report's whole way out of the log; how often its people were told is only counted."""
    facts = await story_of(on.session, report_id)
    notices = [told for told in facts if told.body.stream == "notice"]
    way = [told for told in facts if told.body.stream != "notice"]
    clock = {scene.command_id: scene.at for scene in scenes(on.story)}
    zone = await on.session.zone()
    on.screen.page(
        f"一件上报的全过程 {report_id}",
        "One report's whole way, as the log has it",
        pages.timeline_table(way, clock, Names(on.book), zone),
        pages.notices_line(len(notices), report_id),
    )


async def _show_passbook(on: Stage, rider_id: str) -> None:
    book = await passbook_of(on.session, rider_id)
    if book is None or not book["lines"]:
        return
    earned = [line for line in book["lines"] if line["entry"] == PointsAwarded.__name__]
    names = {rider.id: rider.name for rider in on.story.riders}
    places = {report.report_id: report.place for report in on.story.reports}
    on.screen.page(
        f"积分存折 {names[rider_id]} {book['lifetime']} 分",
        f"The passbook of {rider_id}, who earned the most",
        pages.passbook_table(earned, Names(on.book), places),
    )


async def _rebuild(on: Stage) -> list[Rebuilt]:
    """Every table is dropped, and what the log gives takes its place."""
    log, pool = await on.session.log(), await on.session.owned_tables()
    done = []
    with on.screen.steps("rebuilding", len(PROJECTIONS)) as step:
        for projection in PROJECTIONS:
            step(projection.name)
            try:
                done.append(await rebuild(projection, log, pool, check=False))
            except (RebuildStopped, RebuildRuns) as error:
                raise Failure(str(error)) from error
    on.screen.page(
        "删除全部数据表，按日志重建",
        "Every table dropped, and built again from the log",
        tables.rebuild_table(done),
    )
    return done


async def _evidence(on: Stage, played: Sequence[Played], witness: Witness) -> Evidence:
    return Evidence(
        played=played,
        facts=len(witness.facts),
        unread=[entry.reason for entry in witness.unread],
        doubled=list(findings.doubled(witness.facts)),
        stored=await findings.stored_notices(on.session),
        posted=len(on.receiver.notices),
        unsigned=on.receiver.unsigned,
    )


def _eventful(story: Story) -> str:
    """The report with the longest way: given back, done again."""
    longest = max(story.reports, key=lambda r: (REMARKABLE.index(r.fate), len(r.steps)))
    return longest.report_id


def _best(story: Story, found: Ending) -> str:
    """The rider with the most points; of equals the first."""
    return min((rider.id for rider in story.riders), key=lambda r: (-found.points.get(r, 0), r))
