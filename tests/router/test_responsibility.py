"""Which unit a relative role means at a place."""

from __future__ import annotations

import pytest

from contracts.case import UnitKind
from contracts.rulebook import Holder, Role, Unit
from services.router.responsibility import Responsibility, Where

NAMES = ("city", "west", "west-9", "west-lamps", "lamps", "owner-a", "owner-ab", "water", "street")
UNITS = [
    Unit.model_validate({"code": code, "kind": UnitKind.DEPARTMENT, "name": code}) for code in NAMES
]
CELL = ("grid-9", "a-west", "district")
"""A grid cell, the street it is in, the district."""


def role(code: str, *holders: Holder, otherwise: str | None = None) -> Role:
    return Role.model_validate(
        {"code": code, "name": code, "holders": holders, "otherwise": otherwise}
    )


def holder(unit: str, **where: str) -> Holder:
    return Holder.model_validate({"unit": unit, **where})


CARE = role(
    "care",
    holder("city"),
    holder("west", area="a-west"),
    holder("west-9", area="grid-9"),
    holder("lamps", service="lamp"),
    holder("west-lamps", area="a-west", service="lamp"),
    holder("owner-a", asset="33"),
    holder("owner-ab", asset="3301"),
    holder("water", asset="3301", service="cover"),
)
OWNER = role("owner", holder("owner-a", asset="33"), otherwise="around")
AROUND = role("around", holder("street", area="a-west"), otherwise="nobody")
NOBODY = role("nobody")
LOOP = role("loop", otherwise="loop-back")
LOOP_BACK = role("loop-back", otherwise="loop")
WHO = Responsibility(UNITS, [CARE, OWNER, AROUND, NOBODY, LOOP, LOOP_BACK])


@pytest.mark.parametrize(
    ("where", "unit"),
    [
        (Where(), "city"),
        (Where(("elsewhere",)), "city"),
        (Where(("a-west",)), "west"),
        (Where(("grid-8", "a-west", "district")), "west"),
        (Where(CELL), "west-9"),
        (Where((), service="lamp"), "lamps"),
        (Where(("a-west",), service="lamp"), "west-lamps"),
        (Where(CELL, service="lamp"), "west-9"),
        (Where(CELL, asset="3399"), "owner-a"),
        (Where(CELL, asset="3301007"), "owner-ab"),
        (Where(CELL, asset="3301007", service="cover"), "water"),
        (Where(CELL, asset="9901"), "west-9"),
    ],
)
def test_the_holder_that_says_more_goes_before(where: Where, unit: str) -> None:
    found = WHO.resolve("care", where).unit
    assert found is not None
    assert found.code == unit


def test_a_unit_means_itself_wherever_it_is() -> None:
    found = WHO.resolve("west", Where(("elsewhere",)))
    assert found.unit is UNITS[1]
    assert found.asked == ()


def test_a_role_that_nobody_holds_hands_on_and_every_step_is_told() -> None:
    found = WHO.resolve("owner", Where(CELL, asset="44"))
    assert found.unit is UNITS[-1]
    assert [r.code for r in found.asked] == ["owner", "around"]
    assert [r.code for r in found.fell_through] == ["owner"]


@pytest.mark.parametrize(
    ("ref", "asked"),
    [
        ("owner", ["owner", "around", "nobody"]),
        ("loop", ["loop", "loop-back"]),
        ("unheard-of", []),
    ],
)
def test_what_leads_to_nobody_is_said_to_be_nobody(ref: str, asked: list[str]) -> None:
    found = WHO.resolve(ref, Where(("elsewhere",)))
    assert found.unit is None
    assert [r.code for r in found.fell_through] == asked
