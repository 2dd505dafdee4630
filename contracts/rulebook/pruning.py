"""What else is wrong with documents that cannot be read as they are: references to nothing. Pure.

What cannot be read is left out, entry by entry, and the rest is looked at; so an author is told
everything at once, and not the second half of it after mending the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

from pydantic import ValidationError

from contracts.rulebook.book import Document, Rulebook
from contracts.rulebook.check import contradictions
from contracts.rulebook.parts import DocumentKind, Flaw
from contracts.rulebook.reading import MODELS

_STANDING_IN: Final[Mapping[str, Any]] = {
    "version": 1,
    "effective_from": "2000-01-01T00:00:00+00:00",
    "rulebook": "unnamed",
}
"""For what a document says of itself, where that cannot be read."""


def also_wrong(given: Mapping[str, Any], others: Iterable[Document]) -> Iterator[Flaw]:
    """References that lead nowhere, in what can be read of the documents beside the others."""
    parts: dict[str, Document] = {d.kind: d for d in others}
    left_out: set[str] = set()
    for kind in DocumentKind:
        if kind in given:
            rest, without = _readable(kind, given[kind])
            left_out |= without
            if rest is None:
                return
            parts[kind] = rest
    if len(parts) < len(DocumentKind):
        return
    book = Rulebook.model_validate(parts)
    for flaw in contradictions(book):
        # What refers to an entry that was left out leads somewhere, once that is mended.
        if flaw.reason.endswith("is not known") and flaw.reason.split("'")[1] not in left_out:
            yield flaw


def _readable(kind: DocumentKind, given: Any) -> tuple[Document | None, set[str]]:
    """The document without what cannot be read, and the codes that stood there."""
    rest, left_out = deepcopy(given), set[str]()
    while isinstance(rest, dict):
        try:
            return MODELS[kind].validate_python(rest), left_out
        except ValidationError as error:
            wrong = {_entry(problem["loc"]) for problem in error.errors(include_url=False)}
        for field, index in sorted(wrong, key=str, reverse=True):
            if index is not None and isinstance(rest.get(field), list):
                left_out |= set(_codes(rest[field][index]))
                rest[field][index] = None
            elif field in _STANDING_IN and rest.get(field) != _STANDING_IN[field]:
                rest[field] = _STANDING_IN[field]
            elif field in rest:
                left_out |= set(_codes(rest.pop(field)))
            else:
                return None, left_out
        for field, value in rest.items():
            if isinstance(value, list):
                rest[field] = [entry for entry in value if entry is not None]
    return None, left_out


def _entry(place: tuple[int | str, ...]) -> tuple[str, int | None]:
    """The member of the document, and the entry of its list, that a problem lies in."""
    inner = place[1] if len(place) > 1 and isinstance(place[1], int) else None
    return str(place[0]) if place else "", inner


def _codes(thing: Any) -> Iterator[str]:
    """Every code that stands anywhere in it."""
    if isinstance(thing, dict):
        if isinstance(code := thing.get("code"), str):
            yield code
        for value in thing.values():
            yield from _codes(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from _codes(value)
