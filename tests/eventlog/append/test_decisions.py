"""What a decision must be to go into the log."""

from __future__ import annotations

import pytest

from eventlog.append import Decision, Unfit
from eventlog.append.atomic import MOST_MESSAGES
from eventlog.append.decisions import frames
from tests.eventlog.append.kit import Place, decision


@pytest.mark.parametrize(
    ("unfit", "why"),
    [
        (Decision("c1", (), {}), "0 facts"),
        (decision("c1", "a", facts=MOST_MESSAGES + 1), "1001 facts"),
        (decision("c1", "a", body=b"x" * 1024 * 1024), "more than the server takes"),
        (Decision("c1", decision("c1", "a").messages, {}), "no place is expected"),
        (
            Decision("c1", decision("c1", "a").messages, {"log.report.a": -1}),
            "no place is expected",
        ),
        (
            Decision("c1", decision("c1", "a").messages, {"log.report.a": 0, "log.report.b": 7}),
            "expected for log.report.b, but no fact",
        ),
        (Decision("c2", decision("c1", "a").messages, {"log.report.a": 0}), "of command c1"),
        (Decision("c1", decision("c1", "a").messages * 2, {"log.report.a": 0}), "one message id"),
    ],
)
def test_a_decision_that_could_never_be_stored_is_refused_before_it_is_sent(
    unfit: Decision, why: str
) -> None:
    with pytest.raises(Unfit, match=why):
        frames(unfit, 1024 * 1024)


def test_only_the_first_fact_on_each_stream_id_has_a_condition() -> None:
    decided = decision("c1", "a", "b", at=Place(7), facts=3)
    conditions = [b"Expected-Last-Subject-Sequence: 7" in f.head for f in frames(decided, 2**20)]
    assert conditions == [True, False, False, True, False, False]
