"""What is wrong with the places of a document: areas that overlap, ground that nobody has. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, radians
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from contracts.rulebook import Flaw, Rulebook, contradictions
from contracts.rulebook import Places as Document
from services.router.places import Places

DEGREE: Final = 111_320.0
"""Metres of a degree of latitude."""
NOTHING: Final = 5.0
"""Square metres: what borders drawn by hand differ by."""


def flaws_of(book: Rulebook) -> list[Flaw]:
    """Everything that does not hold together, on paper and on the ground."""
    found = contradictions(book)
    broken = any(f.kind == "places" and f.severity == "error" for f in found)
    return found if broken else [*found, *ground(book.places)]


def ground(document: Document) -> list[Flaw]:
    """Shapes that cross themselves (errors); overlaps and holes (warnings, with where and size)."""
    places = Places(document)
    crossed = list(_crossed(places))
    return crossed or [*_overlaps(places), *_holes(places)]


def _crossed(places: Places) -> Iterator[Flaw]:
    for area, shape in zip(places.areas, places.shapes, strict=True):
        if not shape.is_valid:
            reason = f"not a shape: {shapely.is_valid_reason(shape)}"
            yield Flaw(
                "places",
                f"features[{area.code}].geometry",
                reason,
                "draw the ring without crossing",
            )


def _overlaps(places: Places) -> Iterator[Flaw]:
    """Two areas of a level that share more than a border: the lower code has the ground."""
    for index, area in enumerate(places.areas):
        for other in places.touching(index):
            shared = shapely.intersection(places.shapes[index], places.shapes[other])
            if (size := square_metres(shared)) > NOTHING:
                reason = f"overlaps '{places.areas[other].code}' by {size:,.0f} m2 {_near(shared)}"
                advice = f"points there are taken for '{area.code}'; let them share a border"
                yield Flaw("places", f"features[{area.code}]", reason, advice, "warning")


def _holes(places: Places) -> Iterator[Flaw]:
    """Ground of an area that none of its parts has; and gaps among areas that are part of none."""
    parts: dict[int | None, list[int]] = {}
    for index in range(len(places.areas)):
        parts.setdefault(places.whole(index), []).append(index)
    for whole, indices in parts.items():
        united = shapely.union_all([places.shapes[i] for i in indices])
        if whole is None:
            gaps, path = _inside(united), "features"
        else:
            gaps = shapely.difference(places.shapes[whole], united)
            path = f"features[{places.areas[whole].code}]"
            yield from _outside(places, whole, united)
        for gap in shapely.get_parts(gaps):
            if (size := square_metres(gap)) > NOTHING:
                reason = f"{size:,.0f} m2 {_near(gap)} lie in none of its parts"
                yield Flaw("places", path, reason, "draw the neighbours up to it", "warning")


def _outside(places: Places, whole: int, united: BaseGeometry) -> Iterator[Flaw]:
    over = shapely.difference(united, places.shapes[whole])
    if (size := square_metres(over)) > NOTHING:
        reason = f"its parts reach {size:,.0f} m2 beyond it {_near(over)}"
        path = f"features[{places.areas[whole].code}]"
        yield Flaw("places", path, reason, "widen it, or cut the parts", "warning")


def _inside(united: BaseGeometry) -> BaseGeometry:
    rings = [
        shapely.Polygon(ring)
        for part in shapely.get_parts(united)
        for ring in getattr(part, "interiors", ())
    ]
    return shapely.MultiPolygon(rings)


def square_metres(shape: BaseGeometry) -> float:
    """About how large a shape in degrees is."""
    if shape.is_empty:
        return 0.0
    return float(shape.area) * DEGREE**2 * cos(radians(shape.centroid.y))


def _near(shape: BaseGeometry) -> str:
    point = shapely.point_on_surface(shape)
    return f"near {point.y:.5f}, {point.x:.5f}"
