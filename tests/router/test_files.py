"""Who may read what of a case."""

from __future__ import annotations

import pytest

from contracts.case import CaseFile, Step
from contracts.envelope import ERASED, Sealed
from contracts.report import ReportAccepted
from services.router.decider.case import CASE, NO_CASE
from services.router.files import case_file, may_read
from services.router.lifecycle import possible
from tests.district import (
    EAST,
    FIRE,
    IN_WEST,
    INSPECTION,
    KITE,
    OPENED,
    REPORT,
    RIDER,
    RULES,
    SANITATION,
    TRIAGE,
    WEST,
    dispatched,
)
from tests.given import NOON
from tests.router.lives import HOUR, MONDAY, extension, handling

HELD = CASE.fold([OPENED, dispatched(WEST), dispatched(SANITATION, 2)])
SAID = ReportAccepted(
    report_id=REPORT,
    rider_id=RIDER,
    platform=KITE,
    seen_at=NOON,
    title="桃园路",
    text="桶满了三天",
    photo="p/1.jpg",
    answers='{"shop": "老王面馆", "what": ["oil", "smell"]}',
)


@pytest.mark.parametrize(
    ("actor", "may"),
    [
        (SANITATION, True),
        (INSPECTION, True),
        (WEST, False),
        (EAST, False),
        (FIRE, False),
        (TRIAGE, False),
        (KITE, False),
        (RIDER, False),
        ("stranger", False),
    ],
)
def test_the_holder_and_inspection_may_read_a_case(actor: str, may: bool) -> None:
    assert may_read(actor, HELD, RULES) is may


def test_who_is_to_answer_a_request_may_read_the_case() -> None:
    asked = handling().after(extension(MONDAY + 8 * HOUR), SANITATION).state
    assert asked.request is not None
    assert may_read(asked.request.decider, asked, RULES)
    assert not may_read(WEST, asked, RULES)


def test_the_holder_reads_where_it_is_until_when_and_what_was_said() -> None:
    assert case_file(REPORT, HELD, SAID) == CaseFile(
        case_id=REPORT,
        state=Step.DISPATCHED,
        unit=SANITATION,
        service_code="garbage",
        position=IN_WEST,
        due_at=HELD.due_at,
        possible=tuple(move.command.token for move in possible(Step.DISPATCHED)),
        seen_at=NOON,
        title="桃园路",
        text="桶满了三天",
        photo="p/1.jpg",
        answers={"shop": "老王面馆", "what": ("oil", "smell")},
    )


@pytest.mark.parametrize("words", [ERASED, Sealed(key=RIDER, box="AAAA")])
def test_words_that_may_not_be_read_any_more_are_left_out(words: object) -> None:
    unreadable = {"title": words, "text": words, "photo": words, "answers": words}
    file = case_file(REPORT, HELD, SAID.model_copy(update=unreadable))
    assert (file.title, file.text, file.photo, file.answers) == (None, None, None, {})
    assert (file.position, file.seen_at) == (IN_WEST, NOON)


def test_a_case_that_does_not_exist_has_an_empty_file() -> None:
    file = case_file(REPORT, NO_CASE, None)
    assert (file.state, file.unit, file.text, file.seen_at) == ("none", None, None, None)
