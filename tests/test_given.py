"""The sentences of the tests fail when they are not true."""

from __future__ import annotations

import pytest

from contracts.account import PointsAwarded
from contracts.case import CaseEscalated, EscalationReason, WorkReturned
from contracts.envelope import Fact, Reason
from tests.district import returned
from tests.given import Decision, Like, a

RETURNED = returned("fire", 3)
ESCALATED = CaseEscalated(
    case_id="r-1", because=EscalationReason.RETURNS, returns=3, reworks=0, level=1
)
BOTH = Decision((RETURNED, ESCALATED))
REFUSED = Decision((), (Reason(code="not_yours", detail="it is held by another"),))


def test_a_true_sentence_holds() -> None:
    BOTH.then(WorkReturned, CaseEscalated)
    BOTH.then(RETURNED, a(CaseEscalated, returns=3, level=1))
    REFUSED.then_refused("not_yours")
    Decision(()).then_nothing()


@pytest.mark.parametrize(
    "expected",
    [
        [],
        [WorkReturned],
        [CaseEscalated, WorkReturned],
        [WorkReturned, CaseEscalated, PointsAwarded],
        [WorkReturned, a(CaseEscalated, level=2)],
        [WorkReturned, a(WorkReturned)],
        [returned("fire", 2), CaseEscalated],
    ],
)
def test_other_facts_are_noticed(expected: list[type[Fact] | Fact | Like]) -> None:
    with pytest.raises(AssertionError):
        BOTH.then(*expected)


def test_a_refusal_is_no_fact_and_not_nothing() -> None:
    with pytest.raises(AssertionError):
        REFUSED.then()
    with pytest.raises(AssertionError):
        REFUSED.then_nothing()
    with pytest.raises(AssertionError):
        BOTH.then_nothing()


@pytest.mark.parametrize("codes", [[], ["no_such_case"], ["not_yours", "not_yours"]])
def test_other_reasons_are_noticed(codes: list[str]) -> None:
    with pytest.raises(AssertionError):
        REFUSED.then_refused(*codes)


def test_a_refusal_without_words_is_noticed() -> None:
    with pytest.raises(AssertionError):
        Decision((), (Reason(code="not_yours"),)).then_refused("not_yours")
