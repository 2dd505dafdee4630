"""Reports of one thing take turns; what lies farther off does not wait."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from contracts.case import CaseOpened, Nearby
from contracts.report import Position
from services.router.duplicates import metres_between
from services.router.openings import Openings, Shown, Turn
from tests.router.lives import opened

AT = datetime(2026, 5, 22, 9, tzinfo=UTC)
HERE = Position(lat=29.76, lng=121.31)
METRES = 40.0
NOTHING = Shown((), 0)


def metres_off(east: float, north: float = 0.0) -> Position:
    return Position(lat=HERE.lat + north / 111_195, lng=HERE.lng + east / 96_529)


def fact_of(case_id: str, position: Position) -> CaseOpened:
    fact: CaseOpened = opened().told(CaseOpened)[0]
    changes = {"case_id": case_id, "position": position, "condition": "garbage"}
    return fact.model_copy(update=changes)


async def open_one(
    openings: Openings, case_id: str, position: Position, sequence: int
) -> tuple[Nearby, ...]:
    async with openings.turn("garbage", position, METRES) as turn:
        nearby = turn.nearby(NOTHING)
        await asyncio.sleep(0)
        turn.opened([fact_of(case_id, position)], AT, sequence)
    return nearby


async def test_who_comes_second_sees_what_the_first_has_opened() -> None:
    openings = Openings()
    first, second = await asyncio.gather(
        open_one(openings, "r-1", HERE, 1), open_one(openings, "r-2", metres_off(20), 2)
    )
    assert [case.case_id for case in first] == []
    assert [case.case_id for case in second] == ["r-1"]


async def test_who_is_far_off_or_sees_something_else_does_not_wait() -> None:
    openings = Openings()
    async with (
        asyncio.timeout(5),
        openings.turn("garbage", HERE, METRES),
        openings.turn("garbage", metres_off(60), METRES),
        openings.turn("pothole", HERE, METRES),
    ):
        pass


async def test_a_turn_that_fails_lets_the_next_one_go_on_and_leaves_nothing() -> None:
    openings = Openings()

    async def fail() -> None:
        async with openings.turn("garbage", HERE, METRES):
            await asyncio.sleep(0)
            raise LookupError

    failed, nearby = await asyncio.gather(
        fail(), open_one(openings, "r-2", HERE, 2), return_exceptions=True
    )
    assert isinstance(failed, LookupError)
    assert nearby == ()


async def test_what_the_tables_show_is_taken_from_them_alone() -> None:
    openings = Openings()
    await open_one(openings, "r-1", HERE, 7)

    async def seen(as_of: int) -> list[str]:
        async with openings.turn("garbage", HERE, METRES) as turn:
            return [case.case_id for case in turn.nearby(Shown((), as_of))]

    assert await seen(6) == ["r-1"]
    assert await seen(7) == []  # it stands there no more: it has been closed since
    assert await seen(0) == []  # and is forgotten


async def test_who_waits_in_line_is_not_robbed_by_one_whose_tables_know_more() -> None:
    openings = Openings()
    await open_one(openings, "r-1", HERE, 7)

    async def looks(turn: Turn, as_of: int) -> list[str]:
        return [case.case_id for case in turn.nearby(Shown((), as_of))]

    async with openings.turn("garbage", HERE, METRES) as early:
        async with openings.turn("garbage", metres_off(90), METRES) as ahead:
            await looks(ahead, 7)
        assert await looks(early, 6) == ["r-1"]


@given(st.lists(st.tuples(st.floats(-120, 120), st.floats(-120, 120)), min_size=2, max_size=8))
def test_nobody_opens_beside_an_opening_that_it_cannot_see(
    places: list[tuple[float, float]],
) -> None:
    positions = [metres_off(east, north) for east, north in places]

    async def all_at_once() -> list[tuple[Nearby, ...]]:
        openings = Openings()
        return await asyncio.gather(
            *(
                open_one(openings, f"r-{number}", position, number + 1)
                for number, position in enumerate(positions)
            )
        )

    for number, nearby in enumerate(asyncio.run(all_at_once())):
        seen = {case.case_id for case in nearby}
        for earlier in range(number):
            if metres_between(positions[earlier], positions[number]) <= METRES:
                assert f"r-{earlier}" in seen
