"""The message catalogues: every sentence that can be told, in each language of the house.

What can be said and with which parameters is declared here; how it is said stands in
`locale/<language>/LC_MESSAGES/notice.po`. A catalogue that leaves something out, or asks for
something that is not declared, does not load.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO, StringIO
from string import Formatter
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from contracts.account import CapName, ReversalReason
from contracts.case import ClockName, CloseOutcome, EscalationReason, RequestKind, Why
from contracts.report import RefusalCode
from contracts.reward import DeclineReason, EndedBy

LANGUAGES: Final = ("zh", "en")
DEFAULT_LANGUAGE: Final = "zh"

_STATIONS: Final = ("triage", "street", "department")
"""Who a case can stand with: two that decide who handles it, and who handles it."""
_RAN_OUT: Final = (EndedBy.HOLD_RAN_OUT, EndedBy.CODE_RAN_OUT)

_OF_POINTS: Final = {
    "points_withheld.title": "",
    "points_withheld.text": "service report reasons",
    "points_granted.title": "points",
    "points_granted.text": "points",
    "points_activated.title": "points",
    "points_activated.text": "points",
    "points_activated.until.title": "points",
    "points_activated.until.text": "points due",
    "points_expired.title": "points",
    "points_expired.text": "points",
    "points_reversed.title": "points",
    "points_reversed.text": "points reason",
    "points_reversed.until.title": "points",
    "points_reversed.until.text": "points reason due",
    "reversal_upheld.title": "",
    "reversal_upheld.text": "",
    "points_restored.title": "points",
    "points_restored.text": "points",
    "points_adjusted.given.title": "points",
    "points_adjusted.given.text": "points",
    "points_adjusted.taken.title": "points",
    "points_adjusted.taken.text": "points",
    **{f"cap.{cap}": "" for cap in CapName},
    **{f"reversal.{reason}": "" for reason in ReversalReason},
}
_SENTENCES: Final = {
    "report_received.title": "",
    "report_received.text": "service report",
    "report_refused.title": "",
    "report_refused.text": "service report reasons",
    "case_rejected.title": "",
    "case_rejected.text": "service report reasons",
    "case_dispatched.triage.title": "",
    "case_dispatched.triage.text": "service report unit",
    "case_dispatched.street.title": "unit",
    "case_dispatched.street.text": "service report unit",
    "case_dispatched.department.title": "unit",
    "case_dispatched.department.text": "service report unit due",
    "case_dispatched.returned.title": "",
    "case_dispatched.returned.text": "service report unit",
    "work_resolved.title": "",
    "work_resolved.text": "report unit",
    **{f"case_closed.{outcome}.title": "" for outcome in CloseOutcome},
    **{f"case_closed.{outcome}.text": "service report" for outcome in CloseOutcome},
    "points_awarded.title": "points",
    "points_awarded.text": "service report points",
    **_OF_POINTS,
    **{f"work_ordered.{station}.title": "service" for station in _STATIONS},
    **{f"work_ordered.{station}.text": "service report area due why" for station in _STATIONS},
    "work_ordered.suggestion": "text unit",
    "check_ordered.title": "service",
    "check_ordered.text": "service report area due",
    "support_ordered.title": "",
    "support_ordered.text": "report unit",
    "verify_ordered.title": "",
    "verify_ordered.text": "report unit due",
    "report_joined.title": "",
    "report_joined.text": "service report original",
    **{f"request_asked.{kind}.title": "" for kind in RequestKind},
    **{f"request_asked.{kind}.text": "report unit until" for kind in RequestKind},
    **{f"request_granted.{kind}.title": "" for kind in RequestKind},
    **{f"request_granted.{kind}.text": "report until" for kind in RequestKind},
    **{f"request_refused.{kind}.title": "" for kind in RequestKind},
    **{f"request_refused.{kind}.text": "report unit" for kind in RequestKind},
    "work_resumed.title": "",
    "work_resumed.text": "report",
    "deadline_near.title": "",
    "deadline_near.text": "report due",
    **{f"deadline_passed.{clock}.title": "" for clock in ClockName},
    **{f"deadline_passed.{clock}.text": "report due" for clock in ClockName},
    "case_escalated.title": "level",
    "case_escalated.text": "report level because",
    **{f"because.{because}": "" for because in EscalationReason},
    "closing_contested.title": "",
    "closing_contested.text": "report",
    "contest_dismissed.title": "",
    "contest_dismissed.text": "report unit",
    "case_reopened.title": "",
    "case_reopened.text": "report unit",
    "appeal_decided.excused.title": "",
    "appeal_decided.excused.text": "report",
    "appeal_decided.upheld.title": "",
    "appeal_decided.upheld.text": "report unit",
    "rework_ordered.title": "reworks",
    "rework_ordered.text": "report unit reworks",
    "wish_listed.title": "",
    "wish_listed.text": "name",
    "wish_merged.title": "",
    "wish_merged.text": "name",
    "wish_approved.title": "",
    "wish_approved.text": "name",
    "wish_declined.title": "",
    "wish_declined.text": "name reason note",
    "wish_fulfilled.title": "",
    "wish_fulfilled.text": "name price",
    "redemption_held.title": "",
    "redemption_held.text": "name price",
    "code_issued.title": "name",
    "code_issued.text": "name due",
    "redemption_used.title": "",
    "redemption_used.text": "name price",
    "redemption_cancelled.title": "",
    "redemption_cancelled.text": "name",
    **{f"redemption_expired.{ran_out}.title": "" for ran_out in _RAN_OUT},
    **{f"redemption_expired.{ran_out}.text": "name" for ran_out in _RAN_OUT},
    **{f"declined.{reason}": "" for reason in DeclineReason},
    "name.no_wish": "",
    **{f"why.{why}": "" for why in Why},
    **{f"reason.{code}": "" for code in RefusalCode},
    "reason.answer_missing": "",
    "reason.answer_unknown": "",
    "reason.answer_wrong": "",
    "reason.service_opens_no_case": "",
    "reason.nothing_found": "",
    "reason.other": "code",
    "between.reasons": "",
    "name.no_service": "",
    "name.no_area": "",
    "moment.pattern": "",
    "moment.utc": "moment",
}

MESSAGES: Final[Mapping[str, frozenset[str]]] = {
    key: frozenset(parameters.split()) for key, parameters in _SENTENCES.items()
}
"""Every message and the parameters it is given: what each catalogue must fulfil."""

COUNTED: Final[Mapping[str, str]] = {
    "points_awarded.title": "points",
    "points_awarded.text": "points",
}
"""The messages that have a singular and a plural, and the parameter that counts."""


class IncompleteCatalogue(Exception):
    """A catalogue leaves something out, or has other parameters: everything that is wrong."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All messages in one language."""

    language: str
    translations: Translations

    def say(self, key: str, **parameters: str | int) -> str:
        """The message `key` with its parameters filled in. What is filled in is never parsed."""
        if key in COUNTED:
            template = self.translations.ngettext(key, key, int(parameters[COUNTED[key]]))
        else:
            template = self.translations.gettext(key)
        return template.format_map(parameters)


def load(language: str, po: str) -> Catalogue:
    """The catalogue written in `po`. Raises `IncompleteCatalogue` with all that is wrong."""
    catalog = read_po(StringIO(po), locale=language)
    if wrong := list(_wrong(catalog)):
        raise IncompleteCatalogue(f"catalogue {language!r}: " + "; ".join(wrong))
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Catalogue(language, Translations(compiled))


def read(language: str) -> str:
    """The text of the catalogue that the house ships for `language`."""
    po = files(__package__) / "locale" / language / "LC_MESSAGES" / "notice.po"
    return po.read_text("utf-8")


def _wrong(catalog: Catalog) -> Iterator[str]:
    """Every message that is missing, unfinished, unknown or differs in a parameter."""
    said = {_key(message): message for message in catalog if message.id}
    yield from (
        f"{key}: is not a message of the house" for key in sorted(said.keys() - MESSAGES.keys())
    )
    for key, declared in MESSAGES.items():
        message = said.get(key)
        if message is None:
            yield f"{key}: is missing"
        elif message.fuzzy or not all(_forms(message)):
            yield f"{key}: is not finished"
        elif message.pluralizable != (key in COUNTED):
            yield f"{key}: {'needs' if key in COUNTED else 'has no'} singular and plural"
        elif message.pluralizable and len(_forms(message)) != catalog.num_plurals:
            yield f"{key}: has {len(_forms(message))} forms, the language {catalog.num_plurals}"
        else:
            for form in _forms(message):
                if (used := _parameters(form)) != declared:
                    yield f"{key}: has {_listed(used)}, should have {_listed(declared)}"


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _forms(message: Message) -> tuple[str, ...]:
    string = message.string or ""
    return (string,) if isinstance(string, str) else tuple(string)


def _parameters(template: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name is not None)


def _listed(parameters: frozenset[str]) -> str:
    return " ".join(f"{{{name}}}" for name in sorted(parameters)) or "no parameter"


CATALOGUES: Final[Mapping[str, Catalogue]] = {
    language: load(language, read(language)) for language in LANGUAGES
}
"""The catalogues of the house, complete or not loaded at all."""
