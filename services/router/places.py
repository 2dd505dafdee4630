"""Which area a point lies in. Pure; the index is built once for a document.

Areas lie in each other, from the district down to the grid cell. A point is told the smallest one;
what that is part of follows from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from contracts.datum import to_wgs84
from contracts.envelope import Datum
from contracts.report import Position
from contracts.rulebook import Area, AreaLevel, Polygon
from contracts.rulebook import Places as Document

SIZE: Final = {level: index for index, level in enumerate(reversed(AreaLevel))}
"""Of a level: 0 is the smallest."""


class Places:
    """The areas of a places document, found by position."""

    def __init__(self, document: Document) -> None:
        self.areas: tuple[Area, ...] = tuple(
            sorted(document.features, key=lambda area: (SIZE[area.level], area.code))
        )
        self._index = {area.code: index for index, area in enumerate(self.areas)}
        self.shapes = [shape_of(area, document.datum) for area in self.areas]
        self._tree = shapely.STRtree(self.shapes)
        self._chains = {area.code: self._chain(index) for index, area in enumerate(self.areas)}

    def area_of(self, position: Position) -> Area | None:
        """The smallest area that a WGS-84 point lies in; on a shared border, the lower code."""
        point = shapely.points([[position.lng, position.lat]])
        _, found = self._tree.query(point, predicate="intersects")
        return self.areas[min(found.tolist())] if len(found) else None

    def areas_of(self, positions: Sequence[Position]) -> list[Area | None]:
        """The same for many points at once, several times as fast."""
        points = shapely.points([p.lng for p in positions], [p.lat for p in positions])
        asked, found = self._tree.query(points, predicate="intersects")
        best: list[Area | None] = [None] * len(positions)
        least = [len(self.areas)] * len(positions)
        for i, at in zip(asked.tolist(), found.tolist(), strict=True):
            if at < least[i]:
                least[i], best[i] = at, self.areas[at]
        return best

    def chain(self, area: str | None) -> tuple[str, ...]:
        """The area and what it is part of, from the smallest to the largest."""
        return self._chains.get(area or "", ())

    def whole(self, index: int) -> int | None:
        """The place in `areas` of what an area is part of: as it says, or where its middle lies."""
        area = self.areas[index]
        if area.parent is not None:
            return self._index.get(area.parent)
        middle = shapely.point_on_surface(self.shapes[index])
        around = self._tree.query(middle, predicate="intersects").tolist()
        larger = [i for i in around if SIZE[self.areas[i].level] > SIZE[area.level]]
        return min(larger, default=None)

    def touching(self, index: int) -> Iterator[int]:
        """The areas after this one, of its level, that have a point in common with it."""
        level = self.areas[index].level
        for other in sorted(self._tree.query(self.shapes[index], predicate="intersects").tolist()):
            if other > index and self.areas[other].level is level:
                yield other

    def _chain(self, index: int) -> tuple[str, ...]:
        found: list[str] = []
        at: int | None = index
        while at is not None and self.areas[at].code not in found:
            found.append(self.areas[at].code)
            at = self.whole(at)
        return tuple(found)


def shape_of(area: Area, datum: Datum) -> BaseGeometry:
    """The geometry of an area in WGS-84."""
    match area.geometry:
        case Polygon(coordinates=rings):
            return _polygon(rings, datum)
        case several:
            return shapely.MultiPolygon([_polygon(rings, datum) for rings in several.coordinates])


def _polygon(rings: tuple[tuple[tuple[float, float], ...], ...], datum: Datum) -> shapely.Polygon:
    outer, *holes = ([_point(x, y, datum) for x, y in ring] for ring in rings)
    return shapely.Polygon(outer, holes)


def _point(lng: float, lat: float, datum: Datum) -> tuple[float, float]:
    if datum is Datum.GCJ02:
        position = to_wgs84(Position(lat=lat, lng=lng, datum=datum))
        return position.lng, position.lat
    return lng, lat
