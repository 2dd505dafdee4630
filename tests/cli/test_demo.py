"""The demo plays its day through a real house, and says so when anything is not as told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from cli.demo.checks import Check, Evidence, checks
from cli.demo.expected import CaseEnd, Ending, ending
from cli.demo.scenes import scenes, shortened
from cli.story.story import Story, day
from contracts.notice import NoticeKind
from contracts.rulebook import Rulebook
from deploy.house import ROOMS
from deploy.projections import PROJECTIONS
from deploy.rulebooks import load_rulebook

REPORTS: Final = 40
"""As many as hold every fate of the story."""
PATIENCE: Final = 110
WAGGLE: Final = (sys.executable, "-m", "cli.main")


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return Rulebook.model_validate(load_rulebook())


@pytest.fixture(scope="module")
def story(book: Rulebook) -> Story:
    return shortened(day(book), REPORTS)


# ---------------------------------------------------------------- the whole of it


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "house"


@pytest.fixture(scope="module")
def performed(folder: Path) -> subprocess.CompletedProcess[str]:
    options = ("--reports", str(REPORTS), "--data", str(folder), "--json")
    return subprocess.run(
        (*WAGGLE, "demo", *options), capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@pytest.fixture(scope="module")
def result(performed: subprocess.CompletedProcess[str]) -> Any:
    assert performed.returncode == 0, performed.stdout + performed.stderr
    return json.loads(performed.stdout)


def test_everything_ends_as_the_story_says(result: Any) -> None:
    assert result["ok"]
    assert [check["name"] for check in result["checks"] if not check["holds"]] == []
    assert all(check["count"] > 0 for check in result["checks"]), "nothing is checked in vain"


def test_the_totals_are_those_of_the_day(result: Any) -> None:
    totals = result["totals"]
    assert totals["reports"] == REPORTS
    assert (totals["accepted"], totals["refused"]) == (38, {"too_old": 2})
    assert totals["outcomes"] == {"fixed": 36, "open": 2}
    assert (totals["returns"], totals["reworks"]) == (3, 2)
    assert totals["awards"] == 36
    assert totals["points"] == sum(unit["points"] for unit in totals["units"].values())
    assert totals["notices"]["outbox"] > totals["notices"]["webhook"] > 0
    assert totals["parked"] == 0


def test_every_table_is_rebuilt_to_the_same_bytes(result: Any) -> None:
    assert {one["name"] for one in result["projections"]} == {p.name for p in PROJECTIONS}
    for one in result["projections"]:
        assert one["equal"]
        assert one["digest_live"] == one["digest_rebuilt"]
        assert (one["rows"] > 0) is (one["name"] != "store")  # the story redeems nothing


def test_the_house_is_kept_where_it_was_asked_for_and_not_played_in_again(
    result: Any, folder: Path
) -> None:
    assert (folder / "credentials").is_dir()
    again = subprocess.run(
        (*WAGGLE, "demo", "--data", str(folder)),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert again.returncode == 2
    assert "not empty" in " ".join(again.stderr.replace("│", " ").split())


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A demo that is under way, slowly, with its temporary folder in a place of our own."""
    options = ("--pace", "1", "--reports", "8")
    with subprocess.Popen(
        (*WAGGLE, "demo", *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as running:
        yield running
        running.kill()


def test_an_interrupted_demo_leaves_nothing_behind(
    begun: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert begun.stdout is not None
    lines = takewhile(lambda line: not line.startswith("06:31"), iter(begun.stdout.readline, ""))
    assert "\x1b" not in "".join(lines), "no colours in a pipe"
    running = psutil.Process(begun.pid).children(recursive=True)
    assert len(running) >= len(ROOMS), "the house runs, and the story has begun"
    begun.send_signal(signal.SIGINT)
    assert begun.wait(timeout=60) == 130
    assert list(tmp_path.iterdir()) == []
    _, alive = psutil.wait_procs(running, timeout=10)
    assert alive == []


# ---------------------------------------------------------------- what would be found


NOTHING_PLAYED: Final = Evidence(
    played=(), facts=0, unread=(), doubled=(), stored=0, posted=0, unsigned=0
)


def wrong(told: Ending, found: Ending, **evidence: Any) -> dict[str, tuple[str, ...]]:
    """By check: what does not hold, where the channels hold all that was told."""
    on = told.by_channel()
    there = replace(NOTHING_PLAYED, stored=on["outbox"], posted=on["webhook"])
    held: tuple[Check, ...] = checks(told, found, replace(there, **evidence))
    return {check.name: check.wrong for check in held if not check.holds}


@pytest.fixture(scope="module")
def told(story: Story, book: Rulebook) -> Ending:
    return ending(story, book, "platform-kite")


def test_a_day_that_ends_as_told_passes(told: Ending) -> None:
    assert wrong(told, told) == {}


def test_a_report_decided_otherwise_is_found(told: Ending) -> None:
    found = replace(told, reports={**told.reports, "demo-0001": "accepted"})
    assert wrong(told, found) == {
        "reports": ("demo-0001: expected refused: too_old, found accepted",)
    }


def test_a_case_that_got_lost_is_found(told: Ending) -> None:
    cases = {case_id: case for case_id, case in told.cases.items() if case_id != "demo-0033"}
    [line] = wrong(told, replace(told, cases=cases))["cases"]
    assert line.startswith("demo-0033: expected closed (fixed) at fire")
    assert line.endswith("found nothing")


def test_a_case_held_by_another_unit_is_found(told: Ending) -> None:
    moved = replace(told.cases["demo-0033"], unit="market")
    assert "cases" in wrong(told, replace(told, cases={**told.cases, "demo-0033": moved}))


def test_a_point_too_many_is_found(told: Ending) -> None:
    rider, points = next(iter(told.points.items()))
    found = replace(told, points={**told.points, rider: points + 1})
    assert wrong(told, found) == {"points": (f"{rider}: expected {points}, found {points + 1}",)}


def test_a_notice_told_twice_is_found(told: Ending) -> None:
    key, n = next(iter(told.notices.items()))
    assert "notices" in wrong(told, replace(told, notices={**told.notices, key: n + 1}))


def test_an_order_that_vanished_from_a_queue_is_found(told: Ending) -> None:
    assert told.orders, "some orders wait at the end of the day"
    assert "orders" in wrong(told, replace(told, orders={}))


@pytest.mark.parametrize(
    ("check", "evidence"),
    [
        ("once", {"doubled": ["closing of case demo-0002: 2 times"]}),
        ("once", {"unread": ["sequence 7 on log.case.x: unknown fact type"]}),
        ("channels", {"stored": 0}),
        ("channels", {"posted": 0}),
        ("channels", {"unsigned": 1}),
    ],
)
def test_other_evidence_counts_too(told: Ending, check: str, evidence: dict[str, Any]) -> None:
    assert check in wrong(told, told, **evidence)


# ---------------------------------------------------------------- how the day is cut


def test_scenes_follow_the_clock_and_each_report_its_own_order(story: Story) -> None:
    cut = scenes(story)
    assert [scene.at for scene in cut] == sorted(scene.at for scene in cut)
    for report in story.reports:
        mine = [scene.number for scene in cut if scene.report is report]
        assert mine == list(range(len(report.steps) + 1))


def test_no_two_commands_share_an_id(story: Story) -> None:
    ids = [scene.command_id for scene in scenes(story)]
    assert len(ids) == len(set(ids))


def test_a_unit_acts_on_an_order_at_every_handover_and_rework(story: Story) -> None:
    acts = [
        (type(scene.step.command).__name__, scene.on_order)
        for scene in scenes(story)
        if scene.step and scene.report.report_id == "demo-0033"
    ]
    assert acts == [
        ("AcceptWork", True),
        ("DispatchCase", False),
        ("ReturnWork", True),
        ("AcceptWork", True),
        ("DispatchCase", False),
        ("AcceptWork", True),
        ("ResolveWork", False),
        ("VerifyWork", True),
        ("ResolveWork", True),
        ("VerifyWork", True),
    ]


def test_the_ending_of_one_report_is_worked_out_by_hand(told: Ending) -> None:
    """demo-0033: given back by one department, done by another, checked, done again."""
    assert told.cases["demo-0033"] == CaseEnd(
        step="closed",
        unit="fire",
        service="ebike-upstairs",
        outcome="fixed",
        dispatches=4,
        returns=1,
        reworks=1,
    )
    assert told.notices["outbox", "fire", NoticeKind.REWORK_ORDERED] == 1
    assert told.notices["outbox", "rider-05", NoticeKind.REPORT_RECEIVED] == 2
    assert told.points["rider-05"] == 13
