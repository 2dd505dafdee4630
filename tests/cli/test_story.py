"""The story is complete, plays where and when it says, and is told the same each time."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from itertools import combinations, pairwise
from math import hypot

import pytest
from shapely import Point

from cli.story import authored
from cli.story.holders import handler
from cli.story.story import Fate, Story, StoryReport, day
from contracts.case import (
    AcceptWork,
    DispatchCase,
    ResolveWork,
    ReturnReason,
    ReturnWork,
    UnitKind,
    VerifyWork,
)
from contracts.envelope import Datum
from contracts.report import RefusalCode
from contracts.rulebook import Area, AreaLevel, Rulebook
from deploy.rulebooks import load_rulebook
from services.router.places import shape_of
from services.router.routing import route
from services.router.rules import Rules

SEEDS = range(1, 25)


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return Rulebook.model_validate(load_rulebook())


@pytest.fixture(scope="module")
def story(book: Rulebook) -> Story:
    return day(book)


def streets(book: Rulebook) -> list[Area]:
    return [area for area in book.areas if area.level is AreaLevel.STREET]


def commands(report: StoryReport) -> list[str]:
    return [type(step.command).__name__ for step in report.steps]


def of(story: Story, *fates: Fate) -> list[StoryReport]:
    return [report for report in story.reports if report.fate in fates]


def dispatched_to(report: StoryReport) -> list[str]:
    return [s.command.unit for s in report.steps if isinstance(s.command, DispatchCase)]


# ---------------------------------------------------------------- the day


def test_twenty_riders_of_both_platforms_send_two_hundred_reports(
    story: Story, book: Rulebook
) -> None:
    assert len(story.reports) == 200
    assert len({rider.id for rider in story.riders}) == 20
    assert len({rider.name for rider in story.riders}) == 20
    assert {rider.platform for rider in story.riders} == {p.code for p in book.platforms}
    assert Counter(rider.language for rider in story.riders) == {"zh": 18, "en": 2}
    assert {report.rider for report in story.reports} == set(story.riders)


def test_reports_are_numbered_as_they_are_sent_between_half_past_six_and_ten(
    story: Story,
) -> None:
    assert [r.report_id for r in story.reports] == [f"demo-{n:04}" for n in range(1, 201)]
    sent = [report.sent_at for report in story.reports]
    assert sent == sorted(sent)
    assert all(time(6, 30) <= moment.time() <= time(22, 1) for moment in sent)
    assert {moment.date() for moment in sent} == {story.on}
    assert {moment.utcoffset() for moment in sent} == {timedelta(hours=8)}


def test_the_same_seed_tells_the_same_day_and_another_seed_another(
    story: Story, book: Rulebook
) -> None:
    document = book.model_dump(mode="json")
    assert day(document, seed=7) == story
    assert day(book, seed=8) != story


def test_the_day_can_be_any_date_and_keeps_its_clock(story: Story, book: Rulebook) -> None:
    moved = day(book, on=date(2030, 2, 28))
    assert [r.sent_at.time() for r in moved.reports] == [r.sent_at.time() for r in story.reports]
    assert {r.sent_at.date() for r in moved.reports} == {date(2030, 2, 28)}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_seed_makes_a_whole_day(book: Rulebook, seed: int) -> None:
    reports = day(book, seed=seed).reports
    assert len({report.report_id for report in reports}) == 200
    assert len({report.submit.text for report in reports}) == 198
    assert Counter(report.fate for report in reports) == {
        Fate.REFUSED: 8,
        Fate.RETURNED: 14,
        Fate.REWORKED: 14,
        Fate.RETURNED_AND_REWORKED: 2,
        Fate.LEFT_OPEN: 12,
        Fate.CLOSED: 150,
    }


def test_nobody_is_in_two_places_at_once(story: Story) -> None:
    for rider in story.riders:
        sent = [report.sent_at for report in story.reports if report.rider == rider]
        assert all(later - earlier >= timedelta(minutes=20) for earlier, later in pairwise(sent))


# ---------------------------------------------------------------- the words


def test_at_least_130_sentences_are_written_and_none_twice() -> None:
    written = [telling.say for told in authored.reports().told.values() for telling in told]
    assert len(written) == len(set(written)) >= 130


def test_at_least_60_results_are_written_and_none_twice() -> None:
    written = [result for results in authored.outcomes().results.values() for result in results]
    assert len(written) == len(set(written)) >= 60


def test_no_text_is_said_twice_and_only_the_silent_say_nothing(story: Story) -> None:
    texts = Counter(report.submit.text for report in story.reports)
    assert texts.pop("") == 3
    assert set(texts.values()) == {1}
    assert all("{" not in text for text in texts)


def test_every_kind_of_hazard_is_told_at_least_three_times(story: Story, book: Rulebook) -> None:
    told = Counter(report.submit.service_code for report in story.reports)
    assert all(told[service.code] >= 3 for service in book.services)


def test_every_sentence_names_its_place_and_contains_a_keyword_of_its_service(
    book: Rulebook,
) -> None:
    keywords = {service.code: service.keywords for service in book.services}
    for service, told in authored.reports().told.items():
        for telling in told:
            assert telling.say.count("{place}") == 1, telling.say
            assert any(word in telling.say for word in keywords[service]), telling.say


def test_every_service_has_results_and_every_script_speaks_of_known_services_and_units(
    book: Rulebook,
) -> None:
    services = {service.code: service for service in book.services}
    units = {unit.code: unit.kind for unit in book.units}
    outcomes = authored.outcomes()
    assert set(outcomes.results) == set(authored.reports().told) == set(services)
    assert all(len(results) >= 2 for results in outcomes.results.values())
    assert {rework.service for rework in outcomes.reworks} <= set(services)
    assert outcomes.passed.called <= set(services)
    for back in outcomes.returns:
        assert units[back.by] is UnitKind.DEPARTMENT
        theirs = handler(book, back.service, "330299001") == back.by
        assert theirs is (back.reason is ReturnReason.NO_SUCH_PLACE), back.note


def test_most_send_a_photo_and_who_points_at_one_always_does(story: Story) -> None:
    with_photo = [report for report in story.reports if report.submit.photo]
    assert 120 <= len(with_photo) <= 180
    for report in story.reports:
        if "照片" in report.submit.text:
            assert report.submit.photo


# ---------------------------------------------------------------- the places


def test_every_position_lies_in_the_area_that_is_named_and_in_no_other(
    story: Story, book: Rulebook
) -> None:
    shapes = {area.code: shape_of(area, Datum.WGS84) for area in streets(book)}
    for report in story.reports:
        position = report.submit.position
        assert position is not None
        point = Point(position.lng, position.lat)
        inside = [code for code, polygon in shapes.items() if polygon.contains(point)]
        assert inside == ([report.area] if report.area else []), report.place


def test_every_street_is_ridden_and_three_reports_lie_outside_all_of_them(
    story: Story, book: Rulebook
) -> None:
    areas = Counter(report.area for report in story.reports)
    assert areas.pop(None) == 3
    assert set(areas) == {area.code for area in streets(book)}
    assert all(count >= 40 for count in areas.values())


def test_no_two_reports_could_be_the_same_hazard(story: Story) -> None:
    for one, other in combinations(story.reports, 2):
        if one.submit.service_code == other.submit.service_code:
            assert metres(one, other) > 100, (one.submit.text, other.submit.text)


def metres(one: StoryReport, other: StoryReport) -> float:
    a, b = one.submit.position, other.submit.position
    assert a is not None
    assert b is not None
    return hypot((a.lng - b.lng) * 96_600, (a.lat - b.lat) * 110_900)


# ---------------------------------------------------------------- what becomes of it


def test_refused_are_the_silent_the_clocks_ahead_and_the_old(story: Story) -> None:
    refused = of(story, Fate.REFUSED)
    assert Counter(report.refusal for report in refused) == {
        RefusalCode.NO_CONTENT: 3,
        RefusalCode.FROM_THE_FUTURE: 3,
        RefusalCode.TOO_OLD: 2,
    }
    for report in refused:
        late = report.sent_at - report.submit.seen_at
        match report.refusal:
            case RefusalCode.NO_CONTENT:
                assert not report.submit.text
                assert report.submit.photo is None
            case RefusalCode.FROM_THE_FUTURE:
                assert late < -timedelta(days=300)
            case _:
                assert late > timedelta(days=100)
    assert all(report.steps == () for report in refused)


def test_everybody_else_saw_it_minutes_before_and_is_not_refused(story: Story) -> None:
    for report in story.reports:
        if report.fate is not Fate.REFUSED:
            assert report.refusal is None
            ago = report.sent_at - report.submit.seen_at
            assert timedelta(0) < ago <= timedelta(minutes=4)


def test_acts_come_in_order_after_the_report_and_before_midnight(story: Story) -> None:
    for report in story.reports:
        moments = [report.sent_at, *(step.at for step in report.steps)]
        assert moments == sorted(moments)
        assert moments[-1] < datetime.combine(story.on, time(23, 51), report.sent_at.tzinfo)
        assert {step.command.case_id for step in report.steps} <= {report.report_id}


def test_what_no_rule_can_place_goes_through_the_triage_desk(story: Story, book: Rulebook) -> None:
    services = {service.code for service in book.services}
    strays = [
        report
        for report in story.reports
        if report.submit.service_code not in services or report.area is None
    ]
    assert len(strays) == 8 + 3
    assert Counter(r.submit.service_code for r in strays)[None] == 6
    for report in strays:
        assert report.steps[0].by == "triage"
        corrected = [
            step.command.service_code
            for step in report.steps
            if isinstance(step.command, DispatchCase)
        ]
        if report.submit.service_code not in services:
            assert set(corrected) <= services


def test_others_start_at_their_street_or_straight_at_their_department(
    story: Story, book: Rulebook
) -> None:
    rules = Rules(book)
    for report in story.reports:
        submit = report.submit
        if report.steps:
            found = route(submit.service_code, None, submit.position, None, rules)
            assert report.steps[0].by == found.unit.code


def test_closed_means_resolved_by_the_right_department_and_passed_by_the_inspection(
    story: Story, book: Rulebook
) -> None:
    for report in story.reports:
        if report.fate in (Fate.REFUSED, Fate.LEFT_OPEN):
            continue
        *_, resolved, verified = report.steps
        assert isinstance(resolved.command, ResolveWork)
        assert isinstance(verified.command, VerifyWork)
        assert verified.command.passed
        assert verified.by == book.routing.verification.by != resolved.by
        service = report.submit.service_code
        if report.area and service and book.service(service):
            assert resolved.by == handler(book, service, report.area)


def test_returned_once_with_a_note_then_dispatched_to_the_right_department(story: Story) -> None:
    returned = of(story, Fate.RETURNED, Fate.RETURNED_AND_REWORKED)
    reasons = Counter[ReturnReason]()
    for report in returned:
        backs = [s.command for s in report.steps if isinstance(s.command, ReturnWork)]
        assert len(backs) == 1
        assert backs[0].note
        reasons[backs[0].reason] += 1
        first, second = dispatched_to(report)
        assert (first == second) is (backs[0].reason is ReturnReason.NO_SUCH_PLACE)
    assert set(reasons) == set(ReturnReason)


def test_only_the_returned_are_returned(story: Story) -> None:
    for report in of(story, Fate.CLOSED, Fate.REWORKED, Fate.LEFT_OPEN):
        assert "ReturnWork" not in commands(report)


def test_reworked_fails_once_with_a_note_and_is_then_done_again(story: Story) -> None:
    for report in of(story, Fate.REWORKED, Fate.RETURNED_AND_REWORKED):
        checks = [s.command for s in report.steps if isinstance(s.command, VerifyWork)]
        assert [check.passed for check in checks] == [False, True]
        assert all(check.note for check in checks)
        results = [s.command.result for s in report.steps if isinstance(s.command, ResolveWork)]
        assert len(set(results)) == 2


def test_left_open_stops_before_it_passes_and_at_different_points(story: Story) -> None:
    left = of(story, Fate.LEFT_OPEN)
    assert all("VerifyWork" not in commands(report) for report in left)
    assert len({len(report.steps) for report in left}) >= 3


def test_nobody_acts_on_a_case_that_is_not_theirs(story: Story) -> None:
    for report in story.reports:
        holder = report.steps[0].by if report.steps else ""
        desk = holder
        for step in report.steps:
            match step.command:
                case AcceptWork() | ResolveWork():
                    assert step.by == holder
                case DispatchCase(unit=unit):
                    assert step.by == holder == desk
                    holder = unit
                case ReturnWork():
                    assert step.by == holder
                    holder = desk
                case VerifyWork():
                    assert step.by != holder
