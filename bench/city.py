"""A rulebook as large as a city's: 2,000 grid cells in ten streets, 500 conditions."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final

from contracts.report import Position
from contracts.rulebook import Rulebook
from deploy.rulebooks import load_rulebook

COLUMNS: Final = 50
ROWS: Final = 40
CELL: Final = 0.001
"""Degrees: about 100 m."""
WEST: Final = 121.0
SOUTH: Final = 29.0
STREETS: Final = 10
SERVICES: Final = 100
CONDITIONS_EACH: Final = 5


def city(version: int = 1, *, limit: str = "4 work_hours") -> Rulebook:
    """The rulebook; another version has the same places and other limits."""
    documents = load_rulebook()
    documents["places"] |= {"features": list(_features())}
    documents["catalogue"] |= {"version": version, "services": list(_services(limit))}
    routing = documents["routing"]
    routing["roles"][0]["holders"] = [
        {"area": _street(n), "unit": f"street-{['taoyuan', 'liuwan', 'shiqiao'][n % 3]}"}
        for n in range(STREETS)
    ]
    routing["roles"][1]["holders"] = [{"unit": "enforcement"}]
    routing["roles"][2]["holders"] = [{"asset": "33029901", "unit": "municipal"}]
    routing["modes"] = [
        {"first_holder": "street"},
        *({"area": _street(n), "first_holder": "department"} for n in range(0, STREETS, 2)),
    ]
    return Rulebook.model_validate(documents)


def reports(count: int, seed: int = 7) -> list[tuple[str, str, Position]]:
    """Services, conditions and places, all over the city; the same for the same seed."""
    dice = Random(seed)
    found = []
    for _ in range(count):
        service = dice.randrange(SERVICES)
        lng = WEST + dice.random() * COLUMNS * CELL
        lat = SOUTH + dice.random() * ROWS * CELL
        condition = f"s{service}-{dice.randrange(CONDITIONS_EACH)}"
        found.append((f"s{service}", condition, Position(lat=lat, lng=lng)))
    return found


def _street(number: int) -> str:
    return f"330299{number:03}"


def _features() -> Iterator[dict[str, Any]]:
    broad = COLUMNS // STREETS
    for street in range(STREETS):
        yield _feature(_street(street), "street", None, street * broad, 0, broad, ROWS)
    for column in range(COLUMNS):
        for row in range(ROWS):
            street = column // broad
            code = f"{_street(street)}001{column % broad * ROWS + row:03}"
            yield _feature(code, "grid", _street(street), column, row, 1, 1)


def _feature(
    code: str, level: str, parent: str | None, column: int, row: int, broad: int, high: int
) -> dict[str, Any]:
    west, east = WEST + column * CELL, WEST + (column + broad) * CELL
    south, north = SOUTH + row * CELL, SOUTH + (row + high) * CELL
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "properties": {"code": code, "name": code, "level": level, "parent": parent},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def _services(limit: str) -> Iterator[dict[str, Any]]:
    answers = ("sanitation", "municipal", "local-enforcement", "street", "asset-owner")
    for n in range(SERVICES):
        yield {
            "code": f"s{n}",
            "big_class": "01",
            "name": {"zh": f"类别{n}", "en": f"kind {n}"},
            "accountable": answers[n % len(answers)],
            "supporting": [answers[(n + 1) % len(answers)]],
            "conditions": [
                {
                    "code": f"s{n}-{m}",
                    "name": {"zh": f"情形{m}", "en": f"state {m}"},
                    "opens_when": {"zh": "看得见", "en": "seen"},
                    "closes_when": {"zh": "没有了", "en": "gone"},
                    "limit": limit,
                    "points": 5,
                }
                for m in range(CONDITIONS_EACH)
            ],
        }
