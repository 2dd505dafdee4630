"""No sequence of commands, repeated and interleaved as it may be, breaks the rules of the loop."""

from __future__ import annotations

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.loop.laws import LAWS, Broken
from tests.loop.machine import Loop
from tests.loop.miniature import Rooms
from tests.loop.planted import PLANTED

TestLoop = Loop.TestCase
PATIENT = TestLoop.settings
TestLoop.settings = settings(PATIENT, max_examples=40)


@pytest.mark.slow
class TestLoopAtLength(Loop.TestCase):  # type: ignore[misc,valid-type]
    """The same, for minutes rather than seconds."""

    settings = settings(PATIENT, max_examples=2_000, stateful_step_count=100)


SEARCH = settings(
    PATIENT,
    max_examples=500,
    stateful_step_count=25,
    database=None,
    derandomize=True,
    report_multiple_bugs=False,
    phases=[Phase.generate],
)
"""Always the same walks, so that a bug which is found today is found tomorrow."""


@pytest.mark.parametrize(("rooms", "law"), PLANTED.values(), ids=list(PLANTED))
def test_a_planted_bug_is_found(rooms: Rooms, law: str) -> None:
    class Buggy(Loop):
        def __init__(self) -> None:
            super().__init__(rooms)

    with pytest.raises(Broken) as found:
        run_state_machine_as_test(Buggy, settings=SEARCH)
    assert found.value.law == law


def test_every_law_has_found_a_bug() -> None:
    found = {law for _, law in PLANTED.values()}
    beside = {"the_same_command_twice_changes_nothing", "everything_heard_has_had_its_effect"}
    assert found - beside == {law.__name__ for law in LAWS}
