"""Every projection of the house."""

from __future__ import annotations

from typing import Final

from eventlog.projection import Projection
from services.intake.projection import INTAKE
from services.notify.projection import NOTIFY
from services.points.projection import POINTS, STORE
from services.router.projection import ROUTER

PROJECTIONS: Final[tuple[Projection, ...]] = (INTAKE, ROUTER, POINTS, STORE, NOTIFY)
