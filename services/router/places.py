"""Which area a point lies in. Pure; the index is built once for a rulebook."""

from __future__ import annotations

from shapely import STRtree
from shapely.geometry import Point, Polygon

from contracts.report import Position
from contracts.rulebook import Area, Rulebook


class Places:
    """The areas of a rulebook, found by position."""

    def __init__(self, book: Rulebook) -> None:
        self._areas = sorted(book.areas, key=lambda area: area.code)
        self._tree = STRtree([Polygon(area.polygon) for area in self._areas])

    def area_of(self, position: Position) -> Area | None:
        """The area that a WGS-84 point lies in; on a shared border, the one with the lower code."""
        found = self._tree.query(Point(position.lng, position.lat), predicate="intersects")
        return self._areas[min(found)] if len(found) else None
