"""From the datum a position was measured in to WGS-84."""

from __future__ import annotations

from math import cos, hypot, radians

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import Datum
from contracts.report import Position
from services.intake.datum import to_gcj02, to_wgs84

METRES = 111_320
"""In a degree of latitude."""

PUBLISHED = [
    ((39.915, 116.404), (39.91640428150164, 116.41024449916938)),
    ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),
    ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),
    ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),
]
"""WGS-84 and GCJ-02 of the same points, as several public converters give them: Beijing twice,
Shanghai, Shenzhen."""

in_china = st.builds(Position, lat=st.floats(18.0, 53.5), lng=st.floats(74.0, 134.5))
anywhere = st.builds(Position, lat=st.floats(-90, 90), lng=st.floats(-180, 180))
abroad = st.one_of(
    st.builds(Position, lat=st.floats(-90, 0.5), lng=st.floats(-180, 180)),
    st.builds(Position, lat=st.floats(56, 90), lng=st.floats(-180, 180)),
    st.builds(Position, lat=st.floats(-90, 90), lng=st.floats(-180, 71.5)),
    st.builds(Position, lat=st.floats(-90, 90), lng=st.floats(138, 180)),
)


def degrees(position: Position) -> tuple[float, float]:
    return position.lat, position.lng


@pytest.mark.parametrize(("wgs84", "gcj02"), PUBLISHED)
def test_a_map_client_shows_a_point_where_the_published_formula_does(
    wgs84: tuple[float, float], gcj02: tuple[float, float]
) -> None:
    shown = to_gcj02(Position(lat=wgs84[0], lng=wgs84[1]))
    assert shown.datum is Datum.GCJ02
    assert degrees(shown) == pytest.approx(gcj02, abs=1e-7)


@pytest.mark.parametrize(("wgs84", "gcj02"), PUBLISHED)
def test_a_point_of_a_map_client_is_brought_back(
    wgs84: tuple[float, float], gcj02: tuple[float, float]
) -> None:
    found = to_wgs84(Position(lat=gcj02[0], lng=gcj02[1], datum=Datum.GCJ02))
    assert found.datum is Datum.WGS84
    assert degrees(found) == pytest.approx(wgs84, abs=1e-6)


@given(in_china)
def test_there_and_back_is_the_same_point(position: Position) -> None:
    assert degrees(to_wgs84(to_gcj02(position))) == pytest.approx(degrees(position), abs=1e-6)


@given(in_china)
def test_the_shift_is_more_than_a_house_and_less_than_a_district(position: Position) -> None:
    shown = to_gcj02(position)
    north = (shown.lat - position.lat) * METRES
    east = (shown.lng - position.lng) * METRES * cos(radians(position.lat))
    assert 10 < hypot(north, east) < 1_500


@given(abroad)
def test_outside_china_nothing_is_shifted(position: Position) -> None:
    shown = position.model_copy(update={"datum": Datum.GCJ02})
    assert degrees(to_wgs84(shown)) == pytest.approx(degrees(position), abs=1e-7)


@given(anywhere)
def test_cgcs2000_is_read_as_wgs84(position: Position) -> None:
    surveyed = position.model_copy(update={"datum": Datum.CGCS2000})
    assert to_wgs84(surveyed) == position


@given(anywhere)
def test_wgs84_stays_as_it_is(position: Position) -> None:
    assert to_wgs84(position) is position
