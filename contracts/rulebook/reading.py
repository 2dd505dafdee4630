"""Rule documents as they come, before anybody believes them: every error with its place. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from contracts.rulebook.book import KINDS, Document
from contracts.rulebook.calendar import Calendar
from contracts.rulebook.catalogue import Catalogue
from contracts.rulebook.check import nearest
from contracts.rulebook.earning import Earning
from contracts.rulebook.parts import DocumentKind, Flaw
from contracts.rulebook.places import Places
from contracts.rulebook.routing import Routing

MODELS: Final[Mapping[DocumentKind, TypeAdapter[Document]]] = {
    DocumentKind.CATALOGUE: TypeAdapter(Catalogue),
    DocumentKind.PLACES: TypeAdapter(Places),
    DocumentKind.ROUTING: TypeAdapter(Routing),
    DocumentKind.CALENDAR: TypeAdapter(Calendar),
    DocumentKind.EARNING: TypeAdapter(Earning),
}

_ADVICE: Final = {
    "int_parsing": "write a whole number",
    "int_type": "write a whole number",
    "greater_than": "give a larger one",
    "too_short": "give at least one",
    "missing": "add it",
    "extra_forbidden": "leave it out, or correct its name",
    "timezone_aware": "write the zone, such as 2026-11-01T00:00:00+08:00",
    "string_pattern_mismatch": "1 to 64 letters, digits, - or _",
    "string_type": "quote it: codes are text with leading zeros",
    "value_error": "see docs/rulebook.md for how it is written",
}


def read_documents(given: Mapping[str, Any]) -> tuple[dict[DocumentKind, Document], list[Flaw]]:
    """The documents that can be read, by kind, and everything wrong with the others."""
    read: dict[DocumentKind, Document] = {}
    flaws: list[Flaw] = []
    for name, document in given.items():
        if name not in tuple(KINDS):
            reason = f"there is no document of kind '{name}'"
            flaws.append(Flaw(name, "kind", reason, nearest(name, KINDS)))
            continue
        kind = DocumentKind(name)
        try:
            read[kind] = MODELS[kind].validate_python(document)
        except ValidationError as error:
            problems = error.errors(include_url=False)
            flaws += (_flaw(kind, one, document) for one in problems if not _follows(one, problems))
    return read, flaws


def _follows(problem: ErrorDetails, all_of_them: Iterable[ErrorDetails]) -> bool:
    """A list is not called too short because what stands in it cannot be read."""
    place = problem["loc"]
    return problem["type"] == "too_short" and any(
        len(other["loc"]) > len(place) and other["loc"][: len(place)] == place
        for other in all_of_them
    )


def _flaw(kind: DocumentKind, problem: ErrorDetails, document: Any) -> Flaw:
    advice = _ADVICE.get(problem["type"], "")
    expected = problem.get("ctx", {}).get("expected")
    if expected:
        advice = f"one of {expected}" if " or " in str(expected) else f"write {expected}"
    reason = problem["msg"].removeprefix("Value error, ")
    return Flaw(kind, path_of(problem["loc"], document) or "(document)", reason, advice)


def path_of(place: tuple[int | str, ...], document: Any) -> str:
    """Where it is, with the codes that people know things by: `services[garbage].points`."""
    return "".join(_steps(place, document)).lstrip(".")


def _steps(place: tuple[int | str, ...], at: Any) -> Iterator[str]:
    for step in place:
        if isinstance(step, int):
            at = at[step] if isinstance(at, list | tuple) and step < len(at) else None
            yield f"[{_called(at) or step}]"
        elif isinstance(at, Mapping) or at is None:
            at = at.get(step) if at is not None else None
            yield f".{step}"
        # Anything else is a tag of the reader, such as the type of a geometry: no place of its own.


def _called(thing: Any) -> str | None:
    if not isinstance(thing, Mapping):
        return None
    inner = thing.get("properties")
    named = thing.get("code") or (inner.get("code") if isinstance(inner, Mapping) else None)
    return named if isinstance(named, str) else None
