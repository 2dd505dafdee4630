"""Positions come in several datums; intake keeps them in WGS-84. Pure."""

from contracts.datum import to_gcj02, to_wgs84

__all__ = ["to_gcj02", "to_wgs84"]
