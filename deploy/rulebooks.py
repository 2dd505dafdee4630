"""Rule documents in files: YAML or JSON, one or several a file; the built-in ones.

Read as a whole: every error is listed with its file, its place, the reason and what to do.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml

from contracts.rulebook import (
    Document,
    DocumentKind,
    Flaw,
    Rulebook,
    also_wrong,
    read_documents,
)
from services.router.geometry import flaws_of, ground

SUFFIXES: Final = (".yaml", ".yml", ".json", ".geojson")
BUILT_IN: Final = "contracts.builtin.fengxi"


class BadRulebook(Exception):
    """Rule documents that cannot be put in force, with every error."""

    def __init__(self, flaws: Iterable[Found]) -> None:
        self.flaws = tuple(flaws)
        super().__init__("\n".join(("not a valid rulebook:", *(f"  {f}" for f in self.flaws))))


@dataclass(frozen=True, slots=True)
class Found:
    """A flaw, and the file it stands in."""

    file: str
    flaw: Flaw

    def __str__(self) -> str:
        return f"{self.file}: {self.flaw}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What stands in the files, as far as it can be read."""

    documents: Mapping[DocumentKind, Document]
    files: Mapping[str, str]
    """By kind."""
    found: tuple[Found, ...] = ()

    @property
    def errors(self) -> tuple[Found, ...]:
        """What keeps the documents from being put in force."""
        return tuple(f for f in self.found if f.flaw.severity == "error")

    def insist(self) -> Reading:
        """Raises `BadRulebook` where there is an error."""
        if self.errors:
            raise BadRulebook(self.errors)
        return self

    def as_command(self) -> dict[str, Any]:
        """The documents as `PublishRulebook` takes them."""
        return {str(kind): d.model_dump(mode="json") for kind, d in self.documents.items()}


def load_rulebook(place: Path | None = None) -> dict[str, Any]:
    """All five documents in a file or folder, or the built-in ones. Raises `BadRulebook`."""
    return read_rulebook([place] if place else []).insist().as_command()


def read_rulebook(places: Iterable[Path], beside: Rulebook | None = None) -> Reading:
    """The documents in files and folders; the built-in ones where none are named.

    Checked together with those of `beside` whose kind is not among them.
    """
    given = _Given()
    for name, text in _texts(tuple(places)):
        given.add(name, text)
    documents, flaws = read_documents(given.documents)
    found = [*given.found, *(Found(given.file_of(flaw.kind), flaw) for flaw in flaws)]
    together = _together(documents, beside) if not found else _also(given.documents, beside)
    found += (Found(given.file_of(f.kind), f) for f in together)
    return Reading(documents, given.files, tuple(found))


def _together(
    documents: Mapping[DocumentKind, Document], beside: Rulebook | None
) -> Iterator[Flaw]:
    """What does not hold together, with the documents in force for the kinds left out."""
    parts: dict[str, Document] = {d.kind: d for d in beside.documents} if beside else {}
    parts |= {str(kind): document for kind, document in documents.items()}
    if missing := [kind for kind in DocumentKind if kind not in parts]:
        for kind in missing:
            reason = "there is no such document"
            yield Flaw(kind, "(document)", reason, f"add one with 'kind: {kind}'")
        if places := documents.get(DocumentKind.PLACES):
            yield from ground(places)  # type: ignore[arg-type]  # the kind says what it is
        return
    yield from flaws_of(Rulebook.model_validate(parts))


def _also(given: Mapping[str, Any], beside: Rulebook | None) -> Iterator[Flaw]:
    """What leads nowhere in documents of which some cannot be read as they are."""
    return also_wrong(given, beside.documents if beside else ())


@dataclass(slots=True)
class _Given:
    """The documents of several files, by kind."""

    documents: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    found: list[Found] = field(default_factory=list)

    def file_of(self, kind: str) -> str:
        """Where the document of a kind stands."""
        return self.files.get(kind, next(iter(self.files.values()), "rulebook"))

    def add(self, name: str, text: str) -> None:
        """The documents of one file."""
        try:
            documents = list(_parsed(name, text))
        except (yaml.YAMLError, ValueError) as error:
            self._complain(name, "(file)", str(error).replace("\n", " "), "correct the file")
            return
        for document in documents:
            kind = document.get("kind") if isinstance(document, dict) else None
            if not isinstance(kind, str):
                advice = f"begin it with 'kind: ' and one of {', '.join(DocumentKind)}"
                self._complain(name, "kind", "the document does not say what it is", advice)
            elif kind in self.documents:
                reason = f"a second document of kind '{kind}'; the first is in {self.files[kind]}"
                self._complain(name, "kind", reason, "name one of each kind")
            else:
                self.documents[kind], self.files[kind] = document, name

    def _complain(self, name: str, path: str, reason: str, advice: str) -> None:
        self.found.append(Found(name, Flaw("rulebook", path, reason, advice)))


def _texts(places: tuple[Path, ...]) -> Iterator[tuple[str, str]]:
    if not places:
        for entry in sorted(files(BUILT_IN).iterdir(), key=lambda entry: entry.name):
            if entry.name.endswith(SUFFIXES):
                yield f"built-in {entry.name}", entry.read_text("utf-8")
    for place in places:
        inside = (
            sorted(p for p in place.iterdir() if p.suffix in SUFFIXES)
            if place.is_dir()
            else [place]
        )
        for file in inside:
            try:
                yield str(file), file.read_text("utf-8")
            except UnicodeDecodeError as error:
                raise BadRulebook(
                    [Found(str(file), Flaw("rulebook", "(file)", str(error), "save it as UTF-8"))]
                ) from error
            except OSError as error:
                reason = error.strerror or str(error)
                raise BadRulebook(
                    [Found(str(file), Flaw("rulebook", "(file)", reason, "name a file or folder"))]
                ) from error


def _parsed(name: str, text: str) -> Iterator[Any]:
    if name.endswith(("json",)):
        yield json.loads(text, object_pairs_hook=_no_key_twice)
        return
    yield from (d for d in yaml.load_all(text, Loader=_Strict) if d is not None)


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise ValueError(f"'{twice[0]}' is given twice")
    return dict(pairs)


class _Strict(yaml.CSafeLoader):
    """A safe loader that takes no key twice: the first value would be lost in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for at, _ in node.value:
            key = self.construct_object(at, deep=True)
            if key in seen:
                line = at.start_mark.line + 1
                raise yaml.YAMLError(f"'{key}' is given twice (line {line})")
            seen.add(key)
        return super().construct_mapping(node, deep)
