"""After a try: recorded, tried again, or parked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.notice import Channel, RecordDelivery, RecordParking
from services.notify.delivery import (
    JITTER,
    RETRY_DELAYS,
    Again,
    Delivered,
    Failed,
    next_delay,
    settled,
)
from tests.notify.given import a_notice

FAILED = Failed("HTTP status 500")


def test_the_waits_grow_from_a_second_to_half_a_day() -> None:
    waits = [next_delay(attempt, RETRY_DELAYS, 0.5) for attempt in range(1, 10)]
    assert waits == [1, 5, 30, 120, 600, 3600, 10800, 43200, None]


@given(st.integers(1, len(RETRY_DELAYS)), st.floats(0, 1))
def test_jitter_moves_a_wait_by_a_fifth_at_most(attempt: int, jitter: float) -> None:
    delay, wait = RETRY_DELAYS[attempt - 1], next_delay(attempt, RETRY_DELAYS, jitter)
    assert wait == pytest.approx(delay, rel=JITTER + 1e-9)


def test_jitter_pulls_apart_what_failed_together() -> None:
    assert next_delay(2, RETRY_DELAYS, 0.0) == pytest.approx(4)
    assert next_delay(2, RETRY_DELAYS, 1.0) == pytest.approx(6)


def test_no_schedule_means_one_try() -> None:
    assert next_delay(1, (), 0.5) is None


def test_a_delivery_is_recorded_with_its_attempts() -> None:
    step = settled(a_notice(), Channel.WEBHOOK, Delivered(), attempt=4, jitter=0.5)
    assert isinstance(step, RecordDelivery)
    assert (step.notice_id, step.channel, step.attempts) == ("n-1", Channel.WEBHOOK, 4)


def test_a_failure_is_tried_again_by_the_schedule() -> None:
    step = settled(a_notice(), Channel.WEBHOOK, FAILED, attempt=2, jitter=0.5, delays=(7, 9))
    assert step == Again(9)


def test_after_the_last_try_it_is_parked_with_the_reason() -> None:
    step = settled(a_notice(), Channel.OUTBOX, FAILED, attempt=3, jitter=0.5, delays=(7, 9))
    assert isinstance(step, RecordParking)
    assert (step.channel, step.attempts, step.reason) == (Channel.OUTBOX, 3, "HTTP status 500")


def test_what_can_never_succeed_is_parked_at_once() -> None:
    gone = Failed("410: the receiver wants no more", final=True)
    step = settled(a_notice(), Channel.WEBHOOK, gone, attempt=1, jitter=0.5)
    assert isinstance(step, RecordParking)
