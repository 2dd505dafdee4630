"""What changed from one rule document to another, by the codes that people know. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from contracts.rulebook.book import Document

_NOTHING: Final = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One place that is not the same. None stands for what is not there."""

    kind: str
    path: str
    before: Any
    after: Any


def changes(before: Document, after: Document) -> tuple[Change, ...]:
    """Every difference of two documents of a kind, in the order of the places."""
    pairs = _compare("", before.model_dump(mode="json"), after.model_dump(mode="json"))
    return tuple(Change(after.kind, path.lstrip("."), old, new) for path, old, new in pairs)


def _compare(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if old == new:
        return
    match _members(old), _members(new):
        case dict() as had, dict() as has:
            for key in [*had, *(key for key in has if key not in had)]:
                there, here = had.get(key, _NOTHING), has.get(key, _NOTHING)
                if there is _NOTHING or here is _NOTHING:
                    yield f"{path}{key}", _shown(there), _shown(here)
                else:
                    yield from _compare(f"{path}{key}", there, here)
        case _:
            yield path, old, new


def _members(value: Any) -> dict[str, Any] | None:
    """The parts of a value by name or code; None where it is to be compared as a whole."""
    match value:
        case Mapping() if "zh" not in value and "amount" not in value:
            return {f".{key}": part for key, part in value.items()}
        case list() if all(_code(part) for part in value):
            return {f"[{_code(part)}]": part for part in value}
        case _:
            return None


def _code(part: Any) -> str | None:
    if not isinstance(part, Mapping):
        return None
    inner = part.get("properties")
    named = inner.get("code") if isinstance(inner, Mapping) else part.get("code", part.get("year"))
    return None if named is None else str(named)


def _shown(value: Any) -> Any:
    """What is added or taken away as a whole is told by its name."""
    if value is _NOTHING:
        return None
    if isinstance(value, Mapping) and "name" in value:
        return value["name"]
    return value
