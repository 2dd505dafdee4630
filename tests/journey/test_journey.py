"""The whole loop on real servers, every command sent three times: nothing lost, nothing doubled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvloop

from contracts.case import ReworkOrdered, WorkReturned
from contracts.envelope import Outcome
from contracts.report import ReportRefused
from eventlog.connect import connect_postgres
from tests.journey import rebuilds
from tests.journey.crew import open_crew
from tests.journey.driver import Chronicle
from tests.journey.house import House, running
from tests.journey.laws import LAWS
from tests.journey.oracle import Law
from tests.journey.planted import PLANTED, Bug
from tests.journey.playing import BOOK, HOOKED, Pace, Recording, journey

REPORTS = 40
SEED = 20260522

pytestmark = pytest.mark.timeout(240)


@dataclass(frozen=True)
class Played:
    """A journey without faults: where, and what it left behind."""

    house: House
    recording: Recording


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    with running() as house:
        way = journey(house, Chronicle(HOOKED), "plain", Pace(REPORTS), seed=SEED)
        yield Played(house, uvloop.run(way))


@pytest.fixture(scope="module")
def recording(played: Played) -> Recording:
    return played.recording


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_it_holds_in_a_whole_journey(recording: Recording, law: Law) -> None:
    assert list(law(recording.evidence)) == []


def test_every_projection_equals_its_rebuilds(recording: Recording) -> None:
    assert recording.differences == []


def test_the_ledger_adds_up(recording: Recording) -> None:
    assert recording.unbalanced == []


def test_the_journey_goes_through_everything(recording: Recording) -> None:
    evidence = recording.evidence
    assert recording.reports >= REPORTS
    assert evidence.facts(ReportRefused)
    assert evidence.facts(WorkReturned)
    assert evidence.facts(ReworkOrdered)
    assert {op.recorded.outcome for op in evidence.history if op.recorded} == {
        Outcome.ACCEPTED,
        Outcome.REFUSED,
    }
    assert any(op.declined for op in evidence.history)
    assert all(len(op.tries) >= 3 for op in evidence.history)
    assert evidence.posted


@pytest.mark.parametrize(
    ("bug", "law"), PLANTED, ids=[f"{bug.__name__}, {law.__name__}" for bug, law in PLANTED]
)
def test_the_oracle_sees_when(recording: Recording, bug: Bug, law: Law) -> None:
    assert list(law(bug(recording.evidence)))


def test_every_law_can_be_broken() -> None:
    assert {law for _, law in PLANTED} == set(LAWS)


def test_a_row_that_no_fact_explains_is_found(played: Played) -> None:
    """The last test of this house: it is not the same afterwards."""

    async def meddle() -> list[str]:
        pool = await connect_postgres(played.house.info.rebuild_url)
        await pool.execute("UPDATE points.passbook SET available = available + 1")
        await pool.close()
        async with open_crew(played.house, BOOK, []) as crew:
            return await rebuilds.differences(crew)

    found = uvloop.run(meddle())
    assert {what.partition(" ")[0] for what in found} == {"points"}
