from __future__ import annotations

from deploy.backoff import Backoff

BACKOFF = Backoff(first=0.2, longest=5.0, well_after=10.0)


def test_waits_double_up_to_the_longest_and_never_end() -> None:
    waits: list[float] = []
    last: float | None = None
    for _ in range(8):
        last = BACKOFF.wait(last, ran=0.1)
        waits.append(last)
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]


def test_a_part_that_ran_well_is_started_again_at_once() -> None:
    assert BACKOFF.wait(5.0, ran=10.0) == 0.2
