"""The pages after the day say the same in both languages, and fit the window they are shown in."""

from __future__ import annotations

from datetime import UTC
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from cli.demo import frame, pages, tables
from cli.demo.checks import Check
from cli.demo.chinese import in_chinese
from cli.demo.expected import ending
from cli.demo.names import Names
from cli.demo.totals import totals
from cli.story.story import Story, day
from cli.wording import Told
from contracts.account import PointsAwarded
from contracts.case import CaseClosed, CaseDispatched, ReworkOrdered, WorkReturned, WorkVerified
from contracts.envelope import Fact
from contracts.notice import Channel, NoticeDelivered, NoticeKind, NoticeParked
from contracts.rulebook import Rulebook
from deploy.rulebooks import load_rulebook
from eventlog.rebuild import Rebuilt
from tests.contracts.examples import EXAMPLES
from tests.given import NOON, recorded

WIDTHS = (56, 80, 140)
ON_THE_WAY = [fact for fact in EXAMPLES if fact.stream in ("report", "case", "account")]


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return Rulebook.model_validate(load_rulebook())


@pytest.fixture(scope="module")
def story(book: Rulebook) -> Story:
    return day(book)


def shown(what: RenderableType, width: int) -> str:
    out = StringIO()
    Console(file=out, width=width).print(what)
    text = out.getvalue()
    assert all(cell_len(line) <= width for line in text.splitlines())
    return text


def flat(text: str) -> str:
    """Without the breaks that folding has put in."""
    return "".join(text.split())


# ---------------------------------------------------------------- words


@pytest.mark.parametrize("fact", ON_THE_WAY, ids=lambda fact: type(fact).__name__)
def test_whatever_a_case_can_go_through_is_said_in_chinese(fact: Fact, book: Rulebook) -> None:
    said = in_chinese(fact, Names(book))
    assert any("\u4e00" <= letter <= "\u9fff" for letter in said)
    assert type(fact).__name__ not in said


@pytest.mark.parametrize("width", WIDTHS)
def test_a_timeline_shows_each_fact_with_the_clock_of_the_story(book: Rulebook, width: int) -> None:
    facts = [recorded(fact, n) for n, fact in enumerate(EXAMPLES, start=1)]
    way = [Told(fact, fact.body, None) for fact in facts]
    table = pages.timeline_table(way, {facts[0].command_id: NOON}, Names(book), NOON.tzinfo or UTC)
    text = shown(table, width)
    assert f"{NOON:%H:%M}" in text.splitlines()[0]
    assert text.count("↳") == len(facts) - 1
    for fact in facts:
        assert fact.type in flat(text)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_passbook_adds_up(book: Rulebook, width: int) -> None:
    lines = [
        {"report_id": "demo-0002", "points": 8, "service_code": "fire-lane"},
        {"report_id": "demo-0020", "points": 5, "service_code": "exposed-garbage"},
    ]
    places = {"demo-0002": "春晓大厦"}
    text = shown(pages.passbook_table(lines, Names(book), places), width)
    assert text.splitlines()[-1].split()[:3] == ["demo-0020", "+5", "13"]
    assert "占用消防通道，春晓大厦" in text


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kept", [None, Path("here")])
def test_what_to_try_next_names_the_folder(kept: Path | None, width: int) -> None:
    text = shown(frame.closing("demo-0033", "rider-08", kept), width)
    assert f"waggle timeline demo-0033 --data {kept or 'demo-house'}" in text
    assert ("waggle demo --data" in text) is (kept is None)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_opening_counts_who_plays(story: Story, book: Rulebook, width: int) -> None:
    text = flat(shown(frame.opening(story, book), width))
    assert "20位骑手上报200件隐患" in text
    assert "3个街道、6个部门" in text


@pytest.mark.parametrize("width", WIDTHS)
def test_the_verdict_says_whether_all_is_well(width: int) -> None:
    seconds = {"start": 4.0, "day": 6.5, "checks": 0.01}
    assert "✔" in shown(frame.verdict(is_well=True, seconds=seconds), width)
    text = shown(frame.verdict(is_well=False, seconds=seconds), width)
    assert "✘" in text
    assert "10.5 s" in text
    assert "checks" not in text, "what takes no time is not told"


# ---------------------------------------------------------------- figures


@pytest.mark.parametrize("width", WIDTHS)
def test_the_totals_show_every_unit_that_did_something(
    story: Story, book: Rulebook, width: int
) -> None:
    told = ending(story, book, book.platforms[0].code)
    sums = totals(told, [], (unit.code for unit in book.units))
    sums.units["fire"].resolved = 3
    sums.units["inspection"].verified = 1_234
    text = shown(tables.totals_table(sums, posted=503), width)
    assert "已解决 fixed 180" in text
    assert "未结 open 12" in text
    units = shown(tables.units_table(sums, book.units), width)
    assert "1,234" in units
    assert "消防救援大队" in flat(units)
    assert "市场监督管理局" not in flat(units)


def test_each_unit_is_credited_with_what_it_did(book: Rulebook, story: Story) -> None:
    told = ending(story, book, book.platforms[0].code)
    by_type = {type(fact): recorded(fact) for fact in EXAMPLES}
    wanted = (CaseDispatched, WorkReturned, ReworkOrdered, WorkVerified, CaseClosed, PointsAwarded)
    facts = [by_type[kind] for kind in wanted]
    sums = totals(told, facts, (unit.code for unit in book.units))
    closed = by_type[CaseClosed].body
    assert isinstance(closed, CaseClosed)
    assert closed.unit is not None
    assert sums.units[closed.unit].closed == 1
    assert sum(unit.verified for unit in sums.units.values()) == 2
    assert sum(unit.orders for unit in sums.units.values()) == 2
    assert sums.awards == 1


def test_a_notice_that_was_parked_and_then_delivered_counts_as_delivered(
    book: Rulebook, story: Story
) -> None:
    about: dict[str, Any] = {
        "channel": Channel.WEBHOOK,
        "receiver": "rider-07",
        "kind": NoticeKind.REPORT_RECEIVED,
        "language": "zh",
        "report_id": "demo-0001",
        "attempts": 1,
    }
    parked = [NoticeParked(notice_id=n, reason="gone", **about) for n in ("one", "two")]
    delivered = NoticeDelivered(notice_id="one", **about)
    facts = [recorded(fact) for fact in (*parked, delivered)]
    assert totals(ending(story, book, "platform-kite"), facts, ()).parked == 1


@pytest.mark.parametrize("width", WIDTHS)
def test_a_check_that_fails_is_marked_and_says_what_is_wrong(width: int) -> None:
    good = Check.of("points", "积分", "points", 20, ())
    bad = Check.of("cases", "案件", "cases", 192, [f"demo-{n:04}: lost" for n in range(9)])
    text = shown(tables.checks_table([good, bad]), width)
    assert text.splitlines()[0].startswith("✔")
    assert text.splitlines()[1].startswith("✘")
    assert "demo-0004: lost" in text
    assert "and 4 more" in text


@pytest.mark.parametrize("width", WIDTHS)
def test_digests_stand_side_by_side_with_a_verdict(width: int) -> None:
    same = Rebuilt("router", 1_479, 192, 0.2, "a" * 64, "a" * 64)
    other = Rebuilt("points", 180, 200, 0.2, "a" * 64, "b" * 64)
    text = shown(tables.rebuild_table([same, other]), width)
    router, points = text.splitlines()[-2:]
    assert "EQUAL" in router
    assert "DIFFERS" in points
    assert "aaaaaaa" in points
    assert "bbbbbbb" in points
