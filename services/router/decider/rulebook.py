"""Putting rule documents in force: all together, each newer than the last, or none. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from contracts.envelope import Fact, Issued, Reason, Refused
from contracts.rulebook import (
    NONE_PUBLISHED,
    Document,
    DocumentKind,
    Flaw,
    Published,
    PublishRulebook,
    RulebookPublished,
    RulebookRefusal,
    read_documents,
)
from eventlog.decider import Decider
from services.router.geometry import flaws_of


@dataclass(frozen=True, slots=True)
class State:
    """The documents of one rulebook, published so far."""

    published: Published = NONE_PUBLISHED

    def last(self, kind: DocumentKind) -> Document | None:
        """The document of a kind that was published last."""
        found = (d for d in reversed(self.published.documents) if d.kind == kind)
        return next(found, None)


def decide(issued: Issued[PublishRulebook], state: State, rules: None) -> list[Fact]:
    """Publish what is new; nothing where the very same documents are in force."""
    given, flaws = read_documents(issued.command.document)
    new = {kind: d for kind, d in sorted(given.items()) if not _same(d, state.last(kind))}
    flaws += _names(given)
    reasons = [*_older(new, state), *(_reason(flaw) for flaw in flaws)]
    if not flaws:
        reasons += _whole(new, state)
    if reasons:
        raise Refused(*reasons)
    return [
        RulebookPublished(
            name=document.rulebook,
            kind=kind,
            version=document.version,
            digest=digest_of(document),
            document=document,
        )
        for kind, document in new.items()
    ]


def digest_of(document: Document) -> str:
    """SHA-256 of the canonical JSON of the document."""
    return sha256(document.model_dump_json().encode()).hexdigest()


def _same(new: Document, last: Document | None) -> bool:
    return last is not None and new.version == last.version and digest_of(new) == digest_of(last)


def _names(given: Mapping[DocumentKind, Document]) -> Iterator[Flaw]:
    """A command is about one rulebook."""
    names = {document.rulebook for document in given.values()}
    if len(names) > 1:
        reason = f"documents of several rulebooks: {', '.join(sorted(names))}"
        yield Flaw("rulebook", "rulebook", reason, "publish one rulebook at a time")
    if not given:
        yield Flaw("rulebook", "(document)", "there is no document in it", "name at least one")


def _older(new: Mapping[DocumentKind, Document], state: State) -> Iterator[Reason]:
    for kind, document in new.items():
        last = state.last(kind)
        if last is not None and document.version <= last.version:
            yield Reason(
                code=RulebookRefusal.VERSION_NOT_NEWER,
                field=f"{kind}.version",
                detail=f"version {last.version} is published; raise the version above it",
            )


def _whole(new: Mapping[DocumentKind, Document], state: State) -> Iterator[Reason]:
    """What does not hold together, at every moment from which other documents hold."""
    published = state.published
    for document in new.values():
        published = published.and_then(document)
    if not new:
        return
    starts = sorted({document.effective_from for document in published.documents})
    first = min(document.effective_from for document in new.values())
    if published.at(starts[-1]) is None:
        there = {document.kind for document in published.documents}
        missing = [kind for kind in DocumentKind if kind not in there]
        detail = f"there is no document of kind {', '.join(missing)} yet"
        yield Reason(code=RulebookRefusal.NOT_COMPLETE, detail=detail)
        return
    said: set[Flaw] = set()
    for moment in (start for start in starts if start >= first):
        book = published.at(moment)
        for flaw in flaws_of(book) if book else ():
            if flaw.severity == "error" and flaw not in said:
                said.add(flaw)
                yield _reason(flaw)


def _reason(flaw: Flaw) -> Reason:
    advice = f"; {flaw.suggestion}" if flaw.suggestion else ""
    return Reason(
        code=RulebookRefusal.NOT_VALID,
        field=f"{flaw.kind}.{flaw.path}",
        detail=f"{flaw.reason}{advice}",
    )


def evolve(state: State, fact: Fact) -> State:
    """One more document is published."""
    match fact:
        case RulebookPublished(document=document):
            return State(state.published.and_then(document))
        case _:
            return state


RULEBOOK = Decider("rulebook", State(), decide, evolve)
