"""Whether the log stream is one that may be trusted with the truth. Pure.

Some settings would let the server forget, and cannot be seen from a publish that succeeds. So
nothing is appended to a stream before its settings were read and found safe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from eventlog.message import LOG

Rule = tuple[str, Callable[[Mapping[str, Any]], bool], str]

_RULES: Final[tuple[Rule, ...]] = (
    (
        "subjects",
        lambda c: c.get("name") != LOG or c.get("subjects") == ["log.>"],
        "must be exactly log.>",
    ),
    ("storage", lambda c: c.get("storage") == "file", "must be file: memory forgets at a restart"),
    (
        "retention",
        lambda c: c.get("retention") == "limits",
        "must be limits: the others remove what was read",
    ),
    (
        "discard",
        lambda c: c.get("discard") == "new",
        "must be new: old throws away the oldest facts when full",
    ),
    (
        "max_bytes",
        lambda c: c.get("max_bytes", -1) > 0,
        "must be set: a full disk is silence, a full stream is an answer",
    ),
    ("max_msgs", lambda c: c.get("max_msgs", -1) <= 0, "must not be limited"),
    (
        "max_msgs_per_subject",
        lambda c: c.get("max_msgs_per_subject", -1) <= 0,
        "must not be limited",
    ),
    ("max_age", lambda c: not c.get("max_age"), "must not be limited: facts do not age"),
    (
        "compression",
        lambda c: c.get("compression", "none") == "none",
        "must be none: a damaged bit in a compressed block makes the server delete the stream",
    ),
    ("deny_delete", lambda c: bool(c.get("deny_delete")), "must be on"),
    ("deny_purge", lambda c: bool(c.get("deny_purge")), "must be on"),
    (
        "allow_atomic",
        lambda c: bool(c.get("allow_atomic")),
        "must be on: a decision is stored whole or not at all",
    ),
    (
        "allow_direct",
        lambda c: bool(c.get("allow_direct")),
        "must be on: stream ids are loaded by direct reads",
    ),
    (
        "allow_rollup_hdrs",
        lambda c: not c.get("allow_rollup_hdrs"),
        "must be off: a rollup erases history",
    ),
    ("allow_msg_ttl", lambda c: not c.get("allow_msg_ttl"), "must be off: facts do not age"),
    (
        "allow_msg_schedules",
        lambda c: not c.get("allow_msg_schedules"),
        "must be off: it allows rollups",
    ),
    (
        "allow_msg_counter",
        lambda c: not c.get("allow_msg_counter"),
        "must be off: it replaces the body",
    ),
    ("no_ack", lambda c: not c.get("no_ack"), "must be off: a fact without an answer is a hope"),
    (
        "persist_mode",
        lambda c: c.get("persist_mode") != "async",
        "must not be async: it answers before it writes",
    ),
    ("sealed", lambda c: not c.get("sealed"), "must be off: a sealed volume takes no facts"),
    ("mirror", lambda c: not c.get("mirror"), "must not be set: a mirror takes no facts"),
    (
        "sources",
        lambda c: not c.get("sources"),
        "must not be set: only our append library writes the log",
    ),
    ("subject_transform", lambda c: not c.get("subject_transform"), "must not be set"),
    (
        "duplicate_window",
        lambda c: c.get("duplicate_window", 0) >= 120 * 10**9,
        "must be two minutes or more",
    ),
)


def unsafe(config: Mapping[str, Any]) -> list[str]:
    """Every reason why a stream with this configuration must not be the log; none when it may."""
    return [
        f"{name} {why} (is {config.get(name)!r})"
        for name, holds, why in _RULES
        if not holds(config)
    ]
