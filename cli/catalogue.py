"""How a catalogue is shown: its conditions in a table, or one with all that hangs on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cli.printing import print_table, say
from contracts.rulebook import Catalogue, Condition, Service


def print_catalogue(catalogue: Catalogue) -> None:
    """A line for each condition."""
    rows = (
        (
            condition.code,
            f"{service.name.zh}：{condition.name.zh}",
            str(condition.limit),
            condition.points,
            condition.accountable or service.accountable,
            "check" if condition.check_before_open else "",
        )
        for service in catalogue.services
        for condition in service.conditions
    )
    print_table(("condition", "what", "limit", "points", "accountable", "before opening"), rows)


def print_condition(service: Service, condition: Condition) -> None:
    """One condition, as a clerk looks it up."""
    say(f"{condition.code}  {service.name.zh}：{condition.name.zh}", "bold")
    say(f"  {service.name.en}: {condition.name.en}")
    for name, words in _lines(service, condition):
        say(f"  {name:<13} {words}")
    for question in condition.questions:
        must = "must be answered" if question.required else "may be answered"
        asks = f"{question.description.zh} {question.description.en}"
        say(f"  asks {question.code}: {asks} ({question.datatype}, {must})")
        for choice in question.values:
            say(f"    {choice.key}: {choice.name.zh} {choice.name.en}")


def _lines(service: Service, condition: Condition) -> Iterator[tuple[str, str]]:
    supporting = service.supporting if condition.supporting is None else condition.supporting
    yield "service", f"{service.code} ({service.kind}, class {service.big_class})"
    yield "opens when", f"{condition.opens_when.zh} {condition.opens_when.en}"
    yield "closes when", f"{condition.closes_when.zh} {condition.closes_when.en}"
    yield "limit", str(condition.limit)
    yield "points", str(condition.points)
    yield "accountable", condition.accountable or service.accountable
    yield "helps", ", ".join(supporting) or "nobody"
    yield "verified by", condition.verified_by or "who verifies by the routing document"
    yield "evidence", ", ".join(condition.evidence)
    if condition.after_photo:
        yield "after photo", "asked of the handler"
    if condition.check_before_open:
        yield "before opening", "somebody looks first"
    if condition.duplicates:
        same = condition.duplicates
        yield "one thing", f"within {same.radius_metres} m and {same.window_hours} h"
    if condition.source:
        yield "source", condition.source


def condition_as_document(service: Service, condition: Condition) -> dict[str, Any]:
    """The same for programs."""
    told = service.model_dump(mode="json", exclude={"conditions"})
    return {"service": told, "condition": condition.model_dump(mode="json")}
