"""Given what was recorded of a notice, when a channel reports, then this is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given as every
from hypothesis import strategies as st

from contracts.account import AwardPoints
from contracts.envelope import Command, Fact, Issued
from contracts.notice import Channel, NoticeDelivered, NoticeParked, RecordDelivery, RecordParking
from services.notify.decider import NOTICE, State
from services.notify.delivery import Delivered, Failed, settled
from tests.notify.given import NOON, a_notice, accepted

OUTBOX, WEBHOOK = Channel.OUTBOX, Channel.WEBHOOK


def delivery(channel: Channel, attempts: int = 1) -> Command:
    command = settled(a_notice(), channel, Delivered(), attempt=attempts, jitter=0.5)
    assert isinstance(command, RecordDelivery)
    return command


def parking(channel: Channel) -> Command:
    command = settled(a_notice(), channel, Failed("410", final=True), attempt=3, jitter=0.5)
    assert isinstance(command, RecordParking)
    return command


@dataclass(frozen=True)
class Given:
    state: State

    def when(self, command: Command) -> list[Fact]:
        issued = Issued(command=command, command_id="c", actor="notify", at=NOON)
        return list(NOTICE.decide(issued, self.state, None))


def given(*commands: Command) -> Given:
    facts: list[Fact] = []
    for command in commands:
        facts += Given(NOTICE.fold(facts)).when(command)
    return Given(NOTICE.fold(facts))


def kinds(facts: Sequence[Fact]) -> list[type[Fact]]:
    return [type(fact) for fact in facts]


def test_a_delivery_is_recorded_with_all_that_is_known_of_it() -> None:
    [fact] = given().when(delivery(WEBHOOK, attempts=3))
    assert fact == NoticeDelivered(
        notice_id="n-1",
        channel=WEBHOOK,
        receiver="rider-01",
        kind=a_notice().kind,
        language="zh",
        report_id="demo-0001",
        attempts=3,
    )


def test_a_parking_is_recorded_with_its_reason() -> None:
    [fact] = given().when(parking(WEBHOOK))
    assert isinstance(fact, NoticeParked)
    assert (fact.channel, fact.attempts, fact.reason) == (WEBHOOK, 3, "410")


def test_a_second_delivery_on_the_same_channel_changes_nothing() -> None:
    assert given(delivery(OUTBOX)).when(delivery(OUTBOX, attempts=2)) == []


def test_each_channel_delivers_for_itself() -> None:
    assert kinds(given(delivery(OUTBOX)).when(delivery(WEBHOOK))) == [NoticeDelivered]
    assert kinds(given(delivery(OUTBOX)).when(parking(WEBHOOK))) == [NoticeParked]


def test_what_is_delivered_is_not_parked() -> None:
    assert given(delivery(WEBHOOK)).when(parking(WEBHOOK)) == []


def test_what_is_parked_is_parked_once() -> None:
    assert given(parking(WEBHOOK)).when(parking(WEBHOOK)) == []


def test_what_is_parked_can_still_be_delivered() -> None:
    assert kinds(given(parking(WEBHOOK)).when(delivery(WEBHOOK))) == [NoticeDelivered]


def test_a_command_of_another_room_is_a_mistake() -> None:
    award = AwardPoints(rider_id="r", platform="p", report_id="r", case_id="r")
    with pytest.raises(TypeError, match="AwardPoints"):
        given().when(award)


def test_a_fact_of_another_room_changes_nothing() -> None:
    assert NOTICE.evolve(State(), accepted()) == State()


COMMANDS = st.one_of(
    st.builds(delivery, st.sampled_from(Channel)), st.builds(parking, st.sampled_from(Channel))
)


@every(st.lists(COMMANDS, max_size=12))
def test_whatever_comes_each_channel_delivers_once_and_never_parks_afterwards(
    commands: list[Command],
) -> None:
    facts: list[Fact] = []
    for command in commands:
        facts += Given(NOTICE.fold(facts)).when(command)
    for channel in Channel:
        told = [type(f) for f in facts if getattr(f, "channel", None) is channel]
        assert told in (
            [],
            [NoticeDelivered],
            [NoticeParked],
            [NoticeParked, NoticeDelivered],
        )
