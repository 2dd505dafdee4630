"""The places: areas as GeoJSON (RFC 7946), from the district down to the grid cell."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from contracts.envelope import Datum, Id, Words
from contracts.rulebook.parts import DocumentBase, Named, Part


class AreaLevel(StrEnum):
    """How large an area is. The order is from the largest to the smallest."""

    DISTRICT = "district"
    STREET = "street"
    COMMUNITY = "community"
    GRID = "grid"
    """A unit grid cell: about 100 m by 100 m."""


Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Ring = Annotated[tuple[tuple[Longitude, Latitude], ...], Field(min_length=4)]
"""A closed ring of [longitude, latitude], degrees; the last point is the first."""


class Polygon(Part):
    """An outer ring, and holes in it."""

    type: Literal["Polygon"]
    coordinates: Annotated[tuple[Ring, ...], Field(min_length=1)]


class MultiPolygon(Part):
    """Several polygons that are one area."""

    type: Literal["MultiPolygon"]
    coordinates: Annotated[
        tuple[Annotated[tuple[Ring, ...], Field(min_length=1)], ...], Field(min_length=1)
    ]


Geometry = Annotated[Polygon | MultiPolygon, Field(discriminator="type")]


class AreaProperties(Part):
    """What is known of an area."""

    code: Id
    """Text with leading zeros; a grid cell's has 15 digits."""
    name: Named
    level: AreaLevel = AreaLevel.STREET
    parent: Id | None = None
    """The area that it is a part of."""


class Area(Part):
    """A piece of territory: a GeoJSON feature."""

    type: Literal["Feature"]
    properties: AreaProperties
    geometry: Geometry

    @property
    def code(self) -> str:
        """Its code."""
        return self.properties.code

    @property
    def name(self) -> Words:
        """Its name."""
        return self.properties.name

    @property
    def level(self) -> AreaLevel:
        """How large it is."""
        return self.properties.level

    @property
    def parent(self) -> str | None:
        """What it is a part of."""
        return self.properties.parent


class Places(DocumentBase):
    """The territory: a GeoJSON feature collection with foreign members."""

    kind: Literal["places"]
    type: Literal["FeatureCollection"]
    datum: Datum
    """Of every coordinate in it; GCJ-02 is off by several grid cells, so it must be said."""
    features: tuple[Area, ...]
