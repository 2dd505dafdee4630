"""The compatibility check finds each kind of break, and lets every harmless change pass."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, create_model

from contracts.envelope import Sealed
from contracts.export import shape
from tests.contracts.compatibility import breaking


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class FewerColours(StrEnum):
    RED = "red"


class MoreColours(StrEnum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


class Place(BaseModel):
    model_config = ConfigDict(extra="forbid")

    lat: float
    lng: float


class SmallerPlace(BaseModel):
    model_config = ConfigDict(extra="forbid")

    lat: float


class LargerPlace(Place):
    height: float | None = None


Code = Annotated[str, StringConstraints(pattern="^[a-z]+$")]
OtherCode = Annotated[str, StringConstraints(pattern="^[a-m]+$")]

HARMLESS = {
    "nothing changed": (str, str),
    "an enum may say more": (Colour, MoreColours),
    "an enum may become free text": (Colour, str),
    "a field may become optional": (str, str | None),
    "a whole number may become any number": (int, float),
    "a limit may be lifted": (Annotated[str, Field(max_length=5)], str),
    "a pattern may be lifted": (Code, str),
    "an enum may become a pattern": (Colour, Code),
    "one literal may become one of two": (Literal["a"], Literal["a", "b"]),
    "a strict part may learn an optional field": (Place, LargerPlace),
    "a list may become optional": (list[str], list[str] | None),
    "a time stays a time": (AwareDatetime, AwareDatetime),
}
BREAKS = {
    "the type changed": (str, int),
    "a number became whole": (float, int),
    "an enum value was removed": (Colour, FewerColours),
    "free text became an enum": (str, Colour),
    "null is refused": (str | None, str),
    "a limit was set": (str, Annotated[str, Field(max_length=5)]),
    "a limit was tightened": (Annotated[int, Field(gt=0)], Annotated[int, Field(gt=1)]),
    "a pattern was set": (str, Code),
    "a pattern changed": (Code, OtherCode),
    "an enum does not fit the pattern": (Colour, Annotated[str, StringConstraints(pattern="^r")]),
    "text became a time": (str, AwareDatetime),
    "the items changed": (list[str], list[int]),
    "the items are narrower": (list[Colour], list[FewerColours]),
    "a list got a limit": (list[str], Annotated[list[str], Field(max_length=3)]),
    "one became many": (str, list[str]),
    "a map's values changed": (dict[str, str], dict[str, int]),
    "a pair changed": (tuple[float, float], tuple[float, str]),
    "a strict part lost a field": (Place, SmallerPlace),
    "a part grew a required field": (SmallerPlace, Place),
    "an optional part is narrower": (Place | None, SmallerPlace | None),
    "personal became plain": (Sealed, str),
}


def written(kind: Any) -> dict[str, Any]:
    return create_model("Something", value=(kind, ...)).model_json_schema(mode="serialization")


def read(kind: Any) -> dict[str, Any]:
    return create_model("Something", value=(kind, ...)).model_json_schema(mode="validation")


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_change_passes(name: str) -> None:
    old, new = HARMLESS[name]
    assert breaking(written(old), read(new)) == []


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_found_and_named_by_its_field(name: str) -> None:
    old, new = BREAKS[name]
    found = breaking(written(old), read(new))
    assert found
    assert all(words.startswith(".value") for words in found)


def test_a_new_field_with_a_default_passes() -> None:
    old = create_model("Something", a=(str, ...))
    new = create_model("Something", a=(str, ...), b=(int, 0))
    assert breaking(shape(old), new.model_json_schema()) == []


def test_a_new_required_field_is_a_break() -> None:
    old = create_model("Something", a=(str, ...))
    new = create_model("Something", a=(str, ...), b=(int, ...))
    assert breaking(shape(old), new.model_json_schema()) == [
        ".b: new and required, without a default"
    ]


def test_a_field_that_old_facts_may_lack_must_not_become_required() -> None:
    old = create_model("Something", a=(str | None, None)).model_json_schema(mode="validation")
    new = create_model("Something", a=(str | None, ...)).model_json_schema()
    assert breaking(old, new) == [".a: was optional, is required"]


def test_a_removed_field_is_ignored_where_facts_are_read_leniently() -> None:
    old = create_model("Something", a=(str, ...), b=(str, ...))
    new = create_model("Something", a=(str, ...))
    assert breaking(shape(old), new.model_json_schema()) == []


def test_every_break_is_named_not_only_the_first() -> None:
    old = create_model("Something", a=(str, ...), b=(Colour, ...))
    new = create_model("Something", a=(int, ...), b=(FewerColours, ...), c=(str, ...))
    assert breaking(shape(old), new.model_json_schema()) == [
        ".c: new and required, without a default",
        '.a: was {"type": "string"}, is {"type": "integer"}',
        ".b: 'green' is not read any more",
    ]
