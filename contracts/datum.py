"""From the datum a position was measured in to WGS-84. Pure.

Chinese map clients give GCJ-02, which is off by hundreds of metres: several grid cells. The
offset is a smooth published approximation (the constants of the Krasovsky 1940 ellipsoid and a
sum of sines); it is inverted by iteration. CGCS2000 equals WGS-84 for this purpose.
"""

from __future__ import annotations

from math import cos, pi, radians, sin, sqrt
from typing import Final

from contracts.envelope import Datum
from contracts.report import Position

AXIS: Final = 6_378_245.0
"""Semi-major axis of the Krasovsky ellipsoid, metres."""
ECCENTRICITY: Final = 0.00669342162296594323
"""Its first eccentricity, squared."""
STEPS: Final = 6
"""Iterations of the inverse; each gains about two decimal places of a degree."""


def to_wgs84(position: Position) -> Position:
    """The same point in WGS-84, to within a few centimetres."""
    match position.datum:
        case Datum.WGS84:
            return position
        case Datum.CGCS2000:
            return position.model_copy(update={"datum": Datum.WGS84})
        case Datum.GCJ02:
            lat, lng = position.lat, position.lng
            for _ in range(STEPS):
                shift_lat, shift_lng = _gcj_offset(lat, lng)
                lat, lng = position.lat - shift_lat, position.lng - shift_lng
            return Position(lat=round(lat, 7), lng=round(lng, 7), datum=Datum.WGS84)


def to_gcj02(position: Position) -> Position:
    """A WGS-84 point as Chinese map clients show it."""
    shift_lat, shift_lng = _gcj_offset(position.lat, position.lng)
    return Position(
        lat=round(position.lat + shift_lat, 7),
        lng=round(position.lng + shift_lng, 7),
        datum=Datum.GCJ02,
    )


def _gcj_offset(lat: float, lng: float) -> tuple[float, float]:
    """GCJ-02 minus WGS-84 at a WGS-84 point, degrees; nothing outside China's bounding box."""
    if not (0.8293 <= lat <= 55.8271 and 72.004 <= lng <= 137.8347):
        return 0.0, 0.0
    y, x = lat - 35.0, lng - 105.0
    waves = (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + waves
    north += (20 * sin(y * pi) + 40 * sin(y / 3 * pi)) * 2 / 3
    north += (160 * sin(y / 12 * pi) + 320 * sin(y * pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + waves
    east += (20 * sin(x * pi) + 40 * sin(x / 3 * pi)) * 2 / 3
    east += (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    curve = 1 - ECCENTRICITY * sin(radians(lat)) ** 2
    metres_north = AXIS * (1 - ECCENTRICITY) / (curve * sqrt(curve))
    metres_east = AXIS / sqrt(curve) * cos(radians(lat))
    return north * 180 / (metres_north * pi), east * 180 / (metres_east * pi)
