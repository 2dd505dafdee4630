"""What a message dropped in a platform's inbox asks for. Pure.

Intake reacts to no other room's facts: only to its own inbox.
"""

from __future__ import annotations

from collections.abc import Mapping

from contracts.envelope import Header
from contracts.report import SubmitReport, SubmitReports


def asked_for(headers: Mapping[str, str]) -> type[SubmitReport] | type[SubmitReports]:
    """One report, unless the message says that it is many (`ce-type: SubmitReports`)."""
    return SubmitReports if headers.get(Header.TYPE) == SubmitReports.__name__ else SubmitReport
