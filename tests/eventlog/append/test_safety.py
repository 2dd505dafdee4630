"""Whether a stream may be trusted with facts."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.streams import streams
from eventlog.append.safety import unsafe

LOG: dict[str, Any] = next(s for s in streams() if s.name == "LOG").as_dict()


def test_the_log_as_the_house_declares_it_is_safe() -> None:
    assert unsafe(LOG) == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("storage", "memory"),
        ("retention", "workqueue"),
        ("discard", "old"),
        ("max_age", 1),
        ("max_msgs", 1),
        ("max_bytes", 0),
        ("deny_delete", False),
        ("deny_purge", None),
        ("allow_rollup_hdrs", True),
        ("allow_msg_ttl", True),
        ("allow_msg_schedules", True),
        ("allow_msg_counter", True),
        ("no_ack", True),
        ("persist_mode", "async"),
        ("sealed", True),
        ("mirror", {"name": "OTHER"}),
        ("sources", [{"name": "OTHER"}]),
        ("subject_transform", {"src": "log.>", "dest": "x.>"}),
        ("duplicate_window", 1_000_000_000),
        ("subjects", ["log.report.>"]),
    ],
)
def test_what_would_forget_or_lie_is_named(setting: str, value: object) -> None:
    (reason,) = unsafe({**LOG, setting: value})
    assert reason.startswith(f"{setting} must")
