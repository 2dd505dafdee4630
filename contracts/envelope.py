"""What every command and every fact share: ids, times, actors, subjects, headers.

A **command** is imperative and read strictly; a **fact** is past tense and read leniently.
On the wire both are CloudEvents in binary mode (attributes as `ce-` headers, body as JSON):
https://github.com/cloudevents/spec, NATS protocol binding 1.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Generic, TypeVar, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, WithJsonSchema
from pydantic.fields import FieldInfo

TOKEN: Final = r"^[A-Za-z0-9_-]{1,64}$"
"""One token of a subject: what every id and code is made of."""

Id = Annotated[str, StringConstraints(pattern=TOKEN)]
ReportId = Annotated[str, StringConstraints(pattern=TOKEN)]
CaseId = Annotated[str, StringConstraints(pattern=TOKEN)]
PartyId = Annotated[str, StringConstraints(pattern=TOKEN)]
RiderId = Annotated[str, StringConstraints(pattern=TOKEN)]
UnitCode = Annotated[str, StringConstraints(pattern=TOKEN)]
ServiceCode = Annotated[str, StringConstraints(pattern=TOKEN)]
CommandId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,120}$")]

STREAMS: Final[Mapping[str, str]] = {
    "report": "report_id",
    "case": "case_id",
    "account": "rider_id",
    "cap": "cap_id",
    "reward": "reward_id",
    "party": "party_id",
    "rulebook": "name",
    "evaluation": "month",
    "notice": "notice_id",
}
"""Every stream of the log and the field of its facts that is the stream id."""


def log_subject(stream: str, stream_id: str) -> str:
    """The one subject of a stream id: `log.<stream>.<id>`."""
    return f"log.{stream}.{stream_id}"


def fact_id(stream: str, stream_id: str, command_id: str, index: int) -> str:
    """The id of a fact: `<stream>.<id>.<command id>.<index>`, unique for ever.

    The stream id is part of it, so two parties that happen to choose the same command id never
    meet in one fact id.
    """
    return f"{stream}.{stream_id}.{command_id}.{index}"


def command_subject(party: str, room: str, name: str) -> str:
    """Where `party` (and nobody else: the server enforces it) sends a command to a room."""
    return f"cmd.{party}.{room}.{name}"


class Header:
    """Header names of a message. CloudEvents attribute names are lower-case letters and digits."""

    SPEC: Final = "ce-specversion"
    ID: Final = "ce-id"
    TYPE: Final = "ce-type"
    SOURCE: Final = "ce-source"
    TIME: Final = "ce-time"
    SUBJECT: Final = "ce-subject"
    VERSION: Final = "ce-schemaversion"
    COMMAND: Final = "ce-commandid"
    FINGERPRINT: Final = "ce-commandprint"
    CAUSE: Final = "ce-causationid"
    CORRELATION: Final = "ce-correlationid"
    ACTOR: Final = "ce-authid"
    HISTORY: Final = "ce-history"
    PREVIOUS: Final = "ce-prevhash"
    HASH: Final = "ce-hash"
    TRACE: Final = "traceparent"
    KNOWN: Final = "waggle-known"


class Sealed(BaseModel):
    """A personal value as the log keeps it: readable only while the key of `key` exists."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: PartyId
    """Whose key opens it."""
    box: str
    """base64 of 12 bytes nonce, the AES-256-GCM ciphertext and its 16 bytes tag."""


class Erased(BaseModel):
    """The tombstone of a personal value whose key is gone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    erased: bool = True


ERASED: Final = Erased()

T = TypeVar("T")


class PersonalMark:
    """Marks a field that is sealed before it is written."""


PERSONAL: Final = PersonalMark()
Personal = Annotated[
    T | Sealed | Erased,
    PERSONAL,
    WithJsonSchema(
        {
            "description": "Sealed on the wire, unreadable once the person is erased; or the "
            "tombstone, where it was written after that.",
            "x-personal": True,
            "anyOf": [
                {
                    "type": "object",
                    "properties": {
                        "key": {"type": "string", "pattern": TOKEN},
                        "box": {"type": "string"},
                    },
                    "required": ["key", "box"],
                    "additionalProperties": False,
                },
                {
                    "type": "object",
                    "properties": {"erased": {"const": True}},
                    "required": ["erased"],
                    "additionalProperties": False,
                },
            ],
        }
    ),
]
"""A personal field of a fact: the plain value in memory, `Sealed` on the wire, `Erased` after."""


def plain(value: str | Sealed | Erased | None) -> str | None:
    """The readable value, or None where there is none or it may not be read any more."""
    return value if isinstance(value, str) else None


def _is_personal(field: FieldInfo) -> bool:
    """Whether a field is marked, also behind `| None`."""
    arms = get_args(field.annotation)
    return PERSONAL in field.metadata or any(
        PERSONAL in getattr(a, "__metadata__", ()) for a in arms
    )


class Datum(StrEnum):
    """Geodetic datum of a position. CGCS2000 is read as WGS-84; GCJ-02 is not (facts: places)."""

    WGS84 = "WGS-84"
    GCJ02 = "GCJ-02"
    CGCS2000 = "CGCS2000"


class Words(BaseModel):
    """A name in both languages of the house."""

    model_config = ConfigDict(frozen=True)

    zh: str
    en: str

    def read_in(self, language: str) -> str:
        """The name in `language`; Chinese where there is no better one."""
        return self.en if language.startswith("en") else self.zh


class Reason(BaseModel):
    """One reason of a refusal: a code for programs, words for people, the field if one is meant."""

    model_config = ConfigDict(frozen=True)

    code: str
    detail: str = ""
    field: str | None = None


class Refused(Exception):
    """A decision against the command, with every reason. Nothing changes."""

    def __init__(self, *reasons: Reason) -> None:
        super().__init__(
            "; ".join(f"{r.code}: {r.detail}" if r.detail else r.code for r in reasons)
        )
        self.reasons = reasons


class Outcome(StrEnum):
    """What a command came to."""

    ACCEPTED = "accepted"
    """It is in the log at `sequence`."""
    REFUSED = "refused"
    """Decided against, with every reason. Sending it again will not help."""
    INVALID = "invalid"
    """Not readable as this command: what is wrong, field by field. No decision was made."""
    BUSY = "busy"
    """Not looked at: too much waits already. Send it again, unchanged, a little later."""
    UNKNOWN = "unknown"
    """The log did not answer in time. Send it again, unchanged: it is never done twice."""


class Answer(BaseModel):
    """The reply to a command. The same command sent again gets the same answer."""

    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    id: str
    """The stream id that the command was about."""
    sequence: int | None = None
    """Where in the log the last fact of this decision stands (a recorded refusal has one too)."""
    reasons: tuple[Reason, ...] = ()


class Answers(BaseModel):
    """The reply to a bulk command: one answer for each part, in order."""

    model_config = ConfigDict(frozen=True)

    answers: tuple[Answer, ...]
    known: tuple[int, ...] = ()
    """Indices of the parts that had been decided before this request."""


class Command(BaseModel):
    """Base of all commands. A subclass names its room: `class AcceptWork(Command, room="router")`.

    The subject token of a command is its class name in snake case (`accept_work`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    room: ClassVar[str] = ""
    token: ClassVar[str] = ""

    def __init_subclass__(cls, *, room: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if room:
            cls.room = room
            cls.token = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
            COMMANDS[cls.__name__] = cls


class Fact(BaseModel):
    """Base of all facts. A subclass names its stream: `class WorkAccepted(Fact, stream="case")`.

    `schema_version` is today's shape. Older shapes are brought here by `upcasters[old]`, a pure
    `dict -> dict` that lifts version `old` to `old + 1`; reading applies them in turn.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    stream: ClassVar[str] = ""
    schema_version: ClassVar[int] = 1
    key_of: ClassVar[str] = "rider_id"
    """The field that names whose key seals the personal fields."""
    introduces: ClassVar[bool] = False
    """Whether the fact brings in something new about that person: it is refused once they are
    erased. Any other fact is about the work, and goes on with a tombstone in place of its words."""
    upcasters: ClassVar[Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {}
    personal: ClassVar[tuple[str, ...]] = ()
    """Names of the fields marked `Personal`; filled in here."""

    def __init_subclass__(cls, *, stream: str = "", version: int = 1, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if stream:
            cls.stream = stream
            cls.schema_version = version
            FACTS[cls.__name__] = cls

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        cls.personal = tuple(n for n, f in cls.model_fields.items() if _is_personal(f))

    @property
    def stream_id(self) -> str:
        """The id of the stream that this fact belongs to."""
        return str(getattr(self, STREAMS[self.stream]))


COMMANDS: Final[dict[str, type[Command]]] = {}
"""Every command by class name."""
FACTS: Final[dict[str, type[Fact]]] = {}
"""Every fact by class name."""


class Unreadable(Exception):
    """A stored message cannot be read as a fact: what, where, and why."""


def read_body(type_name: str, version: int, body: bytes) -> Fact:
    """The fact in `body`, lifted to today's version.

    Raises `Unreadable` for an unknown type, a version from the future, or a wrong shape.
    """
    cls = FACTS.get(type_name)
    if cls is None:
        raise Unreadable(f"unknown fact type {type_name!r}")
    if version > cls.schema_version:
        raise Unreadable(
            f"{type_name} version {version} is newer than this code ({cls.schema_version})"
        )
    try:
        if version == cls.schema_version:
            return cls.model_validate_json(body)
        return cls.model_validate(_lifted(cls, version, body))
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"{type_name} version {version}: {error}") from error


def _lifted(cls: type[Fact], version: int, body: bytes) -> dict[str, Any]:
    shape: dict[str, Any] = json.loads(body)
    for step in range(version, cls.schema_version):
        shape = cls.upcasters[step](shape)
    return shape


C = TypeVar("C", bound=Command, covariant=True)


@dataclass(frozen=True, slots=True)
class Issued(Generic[C]):
    """A command with who gives it, when, and because of what."""

    command: C
    command_id: str
    """The sender's idempotency key, kept until an answer is there."""
    actor: str
    """The authenticated party: the token of the subject it came on, or the reacting room."""
    at: datetime
    """The moment of the decision: our clock; in imported history, the moment it happened."""
    cause: str | None = None
    """The id of the fact that made a room give this command to itself."""
    correlation: str | None = None
    """The id that the whole story shares: the report's."""
    history: bool = False
    """True for imported history: decided at the moment it happened, not today."""
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fact at its place in the log."""

    sequence: int
    recorded_at: datetime
    """Our clock: when the log took it."""
    subject: str
    fact_id: str
    """`<stream>.<id>.<command id>.<index>`: unique for ever."""
    command_id: str
    fingerprint: str
    happened_at: datetime
    """When it happened, by the clock of who decided (the client's clock is in the body)."""
    actor: str
    source: str
    cause: str | None
    correlation: str | None
    history: bool
    previous_hash: str
    hash: str
    trace: str | None
    body: Fact

    @property
    def type(self) -> str:
        """The name of the fact's class."""
        return type(self.body).__name__


def all_facts() -> Iterator[type[Fact]]:
    """Every fact class there is, by stream and name."""
    yield from sorted(FACTS.values(), key=lambda c: (c.stream, c.__name__))


Time = AwareDatetime
"""A moment with its zone."""
