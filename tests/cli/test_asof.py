"""`waggle asof`: what was known then, of everything or of one report, rider or unit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.session import open_session
from deploy.house import AUDIT_OFFICE, running_house
from deploy.projections import PROJECTIONS
from tests.cli.test_verbs import submitted, until
from tests.cli.waggle import Waggle

RIDER = "rider-asof"


@pytest.fixture(scope="module")
def way(waggle: Waggle) -> tuple[str, list[dict[str, Any]]]:
    """A report that went to its end, and its facts."""
    report = submitted(waggle, RIDER)
    waggle.json("dispatch", report, "sanitation")
    waggle.json("accept", report)
    waggle.json("resolve", report, "--result", "已清运")
    waggle.json("verify", report, "--passed")
    until(lambda: waggle.json("passbook", RIDER)["lines"] or None)
    return report, waggle.json("timeline", report)["facts"]


Way = tuple[str, list[dict[str, Any]]]


def test_a_report_is_seen_as_it_was_at_each_of_its_steps(waggle: Waggle, way: Way) -> None:
    report, facts = way
    steps = {}
    for fact in facts:
        seen = waggle.json("asof", str(fact["sequence"]), "report", report)
        assert seen["sequence"] == fact["sequence"]
        assert datetime.fromisoformat(seen["recorded_at"]) == datetime.fromisoformat(
            fact["recorded_at"]
        )
        cases = seen["rows"]["router.case"]
        steps[fact["type"]] = cases[0]["step"] if cases else None
        assert len(seen["rows"]["intake.report"]) == 1
    assert steps["ReportAccepted"] is None
    assert steps["WorkAccepted"] == "handling"
    assert steps["WorkResolved"] == "resolved"
    assert steps["CaseClosed"] == "closed"


@pytest.mark.parametrize("what", ["report", "rider", "router.case", "points.entry"])
def test_one_stream_id_and_the_whole_log_give_the_same_answer(
    waggle: Waggle, way: Way, what: str
) -> None:
    report, facts = way
    of = RIDER if what in ("rider", "points.entry") else report
    for fact in (facts[0], facts[len(facts) // 2], facts[-1]):
        ask = ("asof", str(fact["sequence"]), what, of)
        assert waggle.json(*ask)["rows"] == waggle.json(*ask, "--whole")["rows"]


def test_a_moment_is_one_of_the_logs_clock(waggle: Waggle, way: Way) -> None:
    report, facts = way
    accepted = next(fact for fact in facts if fact["type"] == "WorkAccepted")
    at = datetime.fromisoformat(accepted["recorded_at"])
    then = waggle.json("asof", at.isoformat(), "report", report)
    assert then["sequence"] == accepted["sequence"]
    before = waggle.json("asof", (at - timedelta(microseconds=1)).isoformat())
    assert before["sequence"] == accepted["sequence"] - 1


def test_a_unit_had_the_work_that_it_had(waggle: Waggle, way: Way) -> None:
    report, facts = way

    def held(kind: str) -> set[str]:
        at = next(fact["sequence"] for fact in facts if fact["type"] == kind)
        seen = waggle.json("asof", str(at), "department", "sanitation")
        return {row["case_id"] for row in seen["rows"]["router.case"]}

    assert report in held("WorkAccepted")
    assert report not in held("CaseClosed")


def test_what_is_personal_stays_out_of_sight(waggle: Waggle, way: Way) -> None:
    (row,) = waggle.json("asof", "now", "report", way[0])["rows"]["intake.report"]
    assert not {"title", "text", "photo"} & set(row)


@pytest.fixture
def kept(waggle: Waggle) -> Iterator[str]:
    yield "asoftest"

    async def drop() -> None:
        async with open_session(waggle.house) as session:
            tables = await session.owned_tables()
            for projection in PROJECTIONS:
                await tables.execute(f"DROP SCHEMA IF EXISTS asoftest_{projection.name} CASCADE")

    asyncio.run(drop())


def test_everything_can_be_kept_and_read_and_is_what_it_is_when_it_is_dropped(
    waggle: Waggle, way: Way, kept: str
) -> None:
    report, facts = way
    at = str(facts[-1]["sequence"])
    done = waggle.json("asof", at, "--keep", kept)["projections"]
    again = waggle.json("asof", at)["projections"]
    assert [p["digest"] for p in done] == [p["digest"] for p in again]
    assert [p["schema"] for p in done] == [f"{kept}_{p['name']}" for p in again]

    async def step() -> Any:
        async with open_session(waggle.house) as session:
            tables = await session.tables()  # whoever may read the live tables may read these
            query = f'SELECT step FROM {kept}_router."case" WHERE case_id = $1'  # noqa: S608
            return await tables.fetchval(query, report)

    assert asyncio.run(step()) == "closed"
    refused = waggle("asof", at, "--keep", kept)
    assert refused.code == 1
    assert "there is a schema of that name" in refused.err


def test_an_audit_office_asks_by_an_address_and_a_seed(
    waggle: Waggle, way: Way, tmp_path: Path
) -> None:
    info = running_house(waggle.house)
    assert info is not None
    seed = str(info.credentials.seed_file(AUDIT_OFFICE))
    away, by = Waggle(tmp_path / "no-house"), ("--nats", info.nats_url, "--seed-file", seed)
    for what, of in (("report", way[0]), ("rider", RIDER)):
        ask = ("asof", str(way[1][-1]["sequence"]), what, of)
        assert away.json(*ask, *by)["rows"] == waggle.json(*ask)["rows"]
    said = away("asof", "1", *by)
    assert said.code == 2
    assert "no database" in said.err


def test_people_get_a_table(waggle: Waggle, way: Way) -> None:
    report, facts = way
    said = waggle("asof", str(facts[-1]["sequence"]), "report", report)
    assert said.code == 0
    assert f"as of sequence {facts[-1]['sequence']} of" in said.out
    assert "closed" in said.out
    everything = waggle("asof", "1")
    assert "router" in everything.out
    assert "nothing" not in everything.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("999999999",), "the log ends at sequence"),
        (("2999-01-01",), "has not been yet"),
        (("yesterday",), "neither a sequence, nor a moment"),
        (("now", "nothing"), "no table 'nothing'"),
        (("now", "report"), "which report?"),
        (("now", "report", "a>b"), "letters, digits"),
        (("now", "--keep", "router"), "--keep 'router'"),
        (("now", "--keep", "asof_x"), "not beginning with"),
        (("now", "report", "x", "--keep", "may"), "leave WHAT out"),
    ],
)
def test_what_cannot_be_meant_is_said_and_ends_with_2(
    waggle: Waggle, words: tuple[str, ...], told: str
) -> None:
    said = waggle("asof", *words)
    assert said.code == 2
    assert told in " ".join(said.err.split())
