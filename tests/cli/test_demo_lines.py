"""The day is told in lines that a person can read: a choice of it, folded to the window."""

from __future__ import annotations

from collections import Counter
from io import StringIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from cli.demo.folding import NOT_FIRST, Folded, Glossed, breaks
from cli.demo.scenes import Played, Scene, scenes
from cli.demo.screen import Screen
from cli.demo.telling import Line, SoFar, Teller, chosen
from cli.story.story import Fate, Story, day
from contracts.account import PointsAwarded
from contracts.case import VerifyWork
from contracts.envelope import Answer, Outcome, Reason
from contracts.rulebook import Rulebook
from deploy.rulebooks import load_rulebook


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return Rulebook.model_validate(load_rulebook())


@pytest.fixture(scope="module")
def story(book: Rulebook) -> Story:
    return day(book)


def folded(text: str, width: int) -> list[str]:
    starts = [0, *breaks(text, width)]
    return [text[a:b].rstrip() for a, b in zip(starts, [*starts[1:], None], strict=True)]


# ---------------------------------------------------------------- folding


@example("1111园，", 3)
@given(st.text(st.sampled_from("桃园街道，。“”A b1—"), max_size=60), st.integers(2, 30))
def test_nothing_is_lost_and_no_line_is_too_wide(text: str, width: int) -> None:
    lines = folded(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(cell_len(line) <= width for line in lines)


def test_a_comma_never_begins_a_line_and_words_stay_whole() -> None:
    text = "环境卫生管理中心办结，路面冲洗两遍。Taken by Sanitation Centre，增加一次巡回保洁。"
    for width in range(12, 60):
        lines = folded(text, width)
        assert not any(line[0] in NOT_FIRST for line in lines)
        assert all(word in " ".join(lines) for word in ("Taken", "Sanitation", "Centre"))


def printed(what: object, width: int) -> list[str]:
    out = StringIO()
    Console(file=out, width=width).print(what)
    return out.getvalue().splitlines()


def test_a_gloss_stands_beside_its_sentence_where_there_is_room_and_else_beneath() -> None:
    line = Glossed(Folded("桃园街道办事处接单"), Folded("Taoyuan Street Office takes it on"))
    assert len(printed(line, 80)) == 1
    assert printed(line, 40) == ["桃园街道办事处接单", "Taoyuan Street Office takes it on"]


# ---------------------------------------------------------------- telling


def test_every_fate_is_told_and_most_of_the_day_is_not(story: Story, book: Rulebook) -> None:
    told = chosen(story, book)
    fates = Counter(report.fate for report in story.reports if report.report_id in told)
    assert fates.keys() == set(Fate)
    assert len(told) <= len(story.reports) / 10


def played(scene: Scene, **came_of_it: object) -> Played:
    answer = Answer(outcome=Outcome.ACCEPTED, id=scene.report.report_id, sequence=1)
    return Played(scene, **{"answer": answer, **came_of_it})  # type: ignore[arg-type]


def line_of(teller: Teller, scene: Scene, **came_of_it: object) -> Line:
    line = teller.line(played(scene, **came_of_it))
    assert line is not None
    return line


def test_every_event_can_be_told(story: Story, book: Rulebook) -> None:
    teller = Teller(story, book, everything=True)
    verbs = Counter(
        line.said.verb for scene in scenes(story) if (line := teller.line(played(scene)))
    )
    assert verbs == {"上报": 200, "派遣": 146, "退回": 16, "处置": 200, "返工": 16, "结案": 180}


def test_a_refusal_is_told_with_the_reasons_of_the_answer(story: Story, book: Rulebook) -> None:
    refused = Answer(
        outcome=Outcome.REFUSED, id="demo-0001", sequence=1, reasons=(Reason(code="too_old"),)
    )
    line = line_of(Teller(story, book, everything=True), scenes(story)[0], answer=refused)
    assert line.said.verb == "不受理"
    assert "已超过受理期限" in line.said.after
    assert "too long ago" in line.said.en


def test_closing_is_told_with_the_points_that_were_awarded(story: Story, book: Rulebook) -> None:
    scene = next(s for s in scenes(story) if s.step and isinstance(s.step.command, VerifyWork))
    report = scene.report
    award = PointsAwarded(
        rider_id=report.rider.id,
        platform=report.rider.platform,
        report_id=report.report_id,
        case_id=report.report_id,
        service_code="other",
        points=9,
        rule="service:other",
        rulebook=book.label,
    )
    line = line_of(Teller(story, book, everything=True), scene, award=award)
    assert line.said.after == f"{report.rider.name} +9 分。"
    assert line.said.en.endswith("9 points earned")


def test_trouble_is_told_even_of_what_else_is_left_out(story: Story, book: Rulebook) -> None:
    quiet = next(s for s in scenes(story) if s.report.report_id not in chosen(story, book))
    teller = Teller(story, book)
    assert teller.line(played(quiet)) is None
    line = line_of(teller, quiet, trouble="refused: not_yours")
    assert (line.said.verb, line.said.quote) == ("出错", "refused: not_yours")


def test_the_hours_count_what_has_been_told(story: Story) -> None:
    so_far = SoFar()
    for scene in scenes(story):
        so_far.take(played(scene))
    assert str(so_far) == "上报 200 · 不受理 0 · 退回 16 · 返工 16 · 结案 180 · 积分 0"


def test_a_quiet_screen_prints_nothing(
    story: Story, book: Rulebook, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = Screen(quiet=True)
    line = line_of(Teller(story, book, everything=True), scenes(story)[0])
    with screen.day(1, lambda: [("受理", 1)]) as advance:
        screen.hour(6, SoFar())
        advance(line, "06:31")
    screen.page("合计", "Totals", "nothing")
    assert capsys.readouterr().out == ""
