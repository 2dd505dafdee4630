"""What a message dropped in a platform's inbox asks for."""

from __future__ import annotations

import pytest

from contracts.envelope import Header
from contracts.report import SubmitReport, SubmitReports
from services.intake.reactions import asked_for


@pytest.mark.parametrize(
    ("headers", "command"),
    [
        ({}, SubmitReport),
        ({Header.TYPE: "SubmitReport"}, SubmitReport),
        ({Header.TYPE: "SubmitReports"}, SubmitReports),
        ({Header.TYPE: "CloseCase"}, SubmitReport),
    ],
    ids=["nothing said", "one", "many", "something else"],
)
def test_one_report_unless_it_says_many(headers: dict[str, str], command: type) -> None:
    assert asked_for(headers) is command
