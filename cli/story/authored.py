"""The written part of the story, read from the data files of this package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from contracts.case import ReturnReason

Kind = Literal[
    "road", "estate", "market", "school", "food", "park", "site", "stop", "old", "office"
]
Hours = tuple[float, float]
WHOLE_DAY: Hours = (6.5, 22.0)
At = tuple[float, float]
"""[longitude, latitude], WGS-84 degrees."""


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Place(_Written):
    """A named point in a street."""

    kind: Kind
    name: str
    at: At


class Rider(_Written):
    """Who rides for which platform, and the language that notices come in."""

    id: str
    name: str
    platform: str
    language: Literal["zh", "en"]


class Telling(_Written):
    """What a rider says of a hazard, at which kinds of place and hours it can be true."""

    kinds: Annotated[tuple[Kind, ...], Field(alias="in", min_length=1)]
    hours: Hours = WHOLE_DAY
    say: str


class Stray(Telling):
    """A report that no rule can place: the triage desk sends it `to` a unit as a `kind`."""

    service: str | None
    kind: str
    to: str
    done: str


class Beyond(_Written):
    """A report from outside every street."""

    service: str
    to: str
    place: str
    at: At
    hours: Hours = WHOLE_DAY
    say: str
    done: str


class Silent(_Written):
    """A report with neither words nor photo."""

    service: str
    kinds: Annotated[tuple[Kind, ...], Field(alias="in", min_length=1)]


class Reports(_Written):
    """Everything that is sent."""

    told: dict[str, tuple[Telling, ...]]
    strays: tuple[Stray, ...]
    beyond: tuple[Beyond, ...]
    silent: tuple[Silent, ...]


class Rework(_Written):
    """What the supervision centre found wanting, and how it was then put right."""

    service: str
    failed: str
    again: str


class Return(_Written):
    """A unit gives an order back."""

    service: str
    by: str
    reason: ReturnReason
    note: str


class Passed(_Written):
    """How the supervision centre says that it is done."""

    called: frozenset[str]
    """Services whose result nobody can see on the street."""
    anywhere: tuple[str, ...]
    on_site: tuple[str, ...]
    by_call: tuple[str, ...]

    def of(self, service: str) -> tuple[str, ...]:
        """The sentences that can be true of a service."""
        return self.anywhere + (self.by_call if service in self.called else self.on_site)


class Outcomes(_Written):
    """Everything the units answer."""

    results: dict[str, tuple[str, ...]]
    passed: Passed
    reworks: tuple[Rework, ...]
    returns: tuple[Return, ...]


def _read(name: str) -> Any:
    return yaml.safe_load(files(__package__).joinpath(name).read_text(encoding="utf-8"))


@cache
def places() -> dict[str, tuple[Place, ...]]:
    """By area code."""
    return TypeAdapter(dict[str, tuple[Place, ...]]).validate_python(_read("places.yaml"))


@cache
def riders() -> tuple[Rider, ...]:
    """In the order of their ids."""
    return TypeAdapter(tuple[Rider, ...]).validate_python(_read("riders.yaml"))


@cache
def reports() -> Reports:
    """The sentences of the riders."""
    return Reports.model_validate(_read("reports.yaml"))


@cache
def outcomes() -> Outcomes:
    """The sentences of the units."""
    return Outcomes.model_validate(_read("outcomes.yaml"))
