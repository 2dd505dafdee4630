"""Who may publish and hear what on the NATS server. Pure; `deploy.nats_config` writes it down.

Two walls. *Accounts*: only the house itself (its rooms, readers and the provisioner) lives in
the account that holds the streams; every other party has an account of its own, into which
just its own subjects are imported. *Permissions*: inside its account each credential is allowed
its own subjects by name, everything else is refused.

The first wall is not a luxury. The server does not check the reply subject of a request: in one
shared account, anybody who may ask JetStream anything could name `log.case.1` as the place for
the answer, and the server itself would write that answer into the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

HOUSE: Final = "HOUSE"
"""The account that holds every stream."""

REPLAY: Final = "replay"
"""What the subjects of told history begin with; they never leave the account of who tells it."""

_NAME: Final = re.compile(r"[A-Za-z0-9_-]*[A-Za-z][A-Za-z0-9_-]*")
_RESERVED: Final = frozenset({HOUSE, "SYS"})

ROOM_STREAMS: Final[dict[str, tuple[str, ...]]] = {
    "intake": ("report", "party"),
    "router": ("case", "rulebook", "evaluation"),
    "points": ("account", "reward", "cap"),
    "notify": ("notice",),
}
"""The room that writes a stream, and no other does."""

_ROOM_EXTRAS: Final[dict[str, tuple[str, ...]]] = {
    "intake": ("answer.>", "$JS.API.STREAM.MSG.DELETE.INBOX"),
    "router": ("work.>",),
    "notify": ("notice.>",),
}


class Kind(StrEnum):
    """What a credential is for."""

    PROVISIONER = "provisioner"
    SERVICE = "service"
    PROJECTOR = "projector"
    AUDITOR = "auditor"
    SEALER = "sealer"
    PLATFORM = "platform"
    UNIT = "unit"
    ARCHIVE = "archive"
    OFFICER = "officer"
    AUDIT_OFFICE = "audit_office"
    """Auditors who are not of the house: they read what is stored, and can do nothing but that."""


INSIDERS: Final = frozenset(
    {Kind.PROVISIONER, Kind.SERVICE, Kind.PROJECTOR, Kind.AUDITOR, Kind.SEALER}
)
"""The kinds that live in the account of the streams. They are trusted with more than their
permissions say, for among them the reply subject stays unchecked: programs of ours, run by those
who run the house. Nobody outside is handed such a credential."""


@dataclass(frozen=True, slots=True)
class Party:
    """One credential: its name is the party of its command subjects and of its inbox.

    `durables` are the consumers that a service binds: `name` on LOG, or `STREAM.name`.
    """

    name: str
    kind: Kind
    durables: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # A dot or a wildcard would widen subjects. A name of digits alone would fit into the
        # place of a sequence number in an acknowledgement and so reach other consumers' messages.
        if not _NAME.fullmatch(self.name) or self.name in _RESERVED:
            raise ValueError(
                f"party name {self.name!r}: use letters, digits, '_' and '-', at least one letter,"
                f" and none of {sorted(_RESERVED)}"
            )
        for stream, durable in self.bound():
            if not _NAME.fullmatch(stream) or not _NAME.fullmatch(durable):
                raise ValueError(
                    f"durable {stream}.{durable!r} of {self.name}: write NAME or STREAM.NAME"
                )

    def bound(self) -> tuple[tuple[str, str], ...]:
        """The durables as pairs of stream and name."""
        return tuple(_split(durable) for durable in self.durables)

    @property
    def account(self) -> str:
        """The account that this credential belongs to."""
        return HOUSE if self.kind in INSIDERS else self.name

    @property
    def inbox_prefix(self) -> str:
        """Where its answers come: give this to the client, for it may hear no other inbox."""
        return f"_INBOX_{self.name}"


@dataclass(frozen=True, slots=True)
class Permissions:
    """What one credential may do. What is not named is refused."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    deny_publish: tuple[str, ...] = ()
    allow_responses: bool = False


def permissions(party: Party, guarded: Iterable[tuple[str, str]] = ()) -> Permissions:
    """The permissions of a party.

    `guarded` names consumers, as (stream, durable), that nobody but the provisioner may change
    or delete: an ordered reader must be free to create and delete consumers of its own.
    """
    inbox = f"{party.inbox_prefix}.>"
    match party.kind:
        case Kind.PROVISIONER:
            return Permissions(
                ("$JS.API.>", "$JS.SNAPSHOT.>", "parked.>", _commands(party)), (inbox,)
            )
        case Kind.SERVICE:
            return _service(party, inbox, guarded)
        case Kind.PROJECTOR:
            publish = (*_ordered("LOG"), *_reading("OUTBOX"), "parked.>")
        case Kind.AUDITOR:
            publish = (*_ordered("LOG"), *_ordered("OUTBOX"))
        case Kind.SEALER:
            return Permissions(
                _ordered("LOG"), (inbox, f"cmd.*.{party.name}.>"), _untouchable(guarded), True
            )
        case Kind.PLATFORM:
            publish = (
                _commands(party),
                f"inbox.{party.name}",
                *_pulling("ANSWER", party.name),
                *_reading("OUTBOX"),
            )
        case Kind.UNIT:
            publish = (_commands(party), *_pulling("WORK", party.name), *_reading("OUTBOX"))
        case Kind.ARCHIVE | Kind.OFFICER:
            publish = (_commands(party), *_reading("OUTBOX"))
        case Kind.AUDIT_OFFICE:
            # No consumers: whoever makes one tells the server where to send what it delivers.
            # It may ask the sealer for checkpoints, and witness them.
            publish = (*_reading("LOG"), *_reading("OUTBOX"), f"cmd.{party.name}.sealer.>")
    denied = _untouchable(guarded) if party.kind in INSIDERS else ()
    if party.kind in (Kind.AUDITOR, Kind.AUDIT_OFFICE):
        told = replayed(party.name)
        return Permissions((*publish, told), (inbox, told), denied)
    return Permissions(publish, (inbox,), denied)


def replayed(party: str) -> str:
    """Where a party may have history told to itself, as if it were live. Nobody else hears it."""
    return f"{REPLAY}.{party}.>"


def _service(party: Party, inbox: str, guarded: Iterable[tuple[str, str]]) -> Permissions:
    room = party.name
    if room not in ROOM_STREAMS:
        raise ValueError(f"no room {room!r}: the rooms are {', '.join(ROOM_STREAMS)}")
    return Permissions(
        publish=(
            *(f"log.{stream}.>" for stream in ROOM_STREAMS[room]),
            *_ROOM_EXTRAS.get(room, ()),
            "parked.>",
            *_ordered("LOG"),
            *_reading("OUTBOX"),
            *(subject for durable in party.bound() for subject in _pulling(*durable)),
        ),
        subscribe=(inbox, f"cmd.*.{room}.>", f"deliver.{room}.>"),
        deny_publish=_untouchable(guarded),
        allow_responses=True,
    )


def _commands(party: Party) -> str:
    return f"cmd.{party.name}.>"


def _reading(stream: str) -> tuple[str, ...]:
    """Look a stream up, message by message or in pages; creates nothing on the server."""
    return (
        f"$JS.API.STREAM.INFO.{stream}",
        f"$JS.API.STREAM.MSG.GET.{stream}",
        f"$JS.API.DIRECT.GET.{stream}",
        f"$JS.API.DIRECT.GET.{stream}.>",
    )


def _ordered(stream: str) -> tuple[str, ...]:
    """Read a stream in order at full speed, by consumers of one's own.

    Without the flow control subject such a reader starts well and stalls after some thousand
    messages.
    """
    return (
        *_reading(stream),
        f"$JS.API.CONSUMER.CREATE.{stream}",
        f"$JS.API.CONSUMER.CREATE.{stream}.>",
        f"$JS.API.CONSUMER.DELETE.{stream}.>",
        f"$JS.API.CONSUMER.MSG.NEXT.{stream}.*",
        f"$JS.FC.{stream}.>",
        f"$JS.FC.*.*.{stream}.>",
    )


def _pulling(stream: str, durable: str) -> tuple[str, ...]:
    """Bind a consumer that exists, and acknowledge: the server may use either form of subject."""
    return (
        f"$JS.API.CONSUMER.INFO.{stream}.{durable}",
        f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}",
        f"$JS.ACK.{stream}.{durable}.>",
        f"$JS.ACK.*.*.{stream}.{durable}.>",
    )


def _untouchable(guarded: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(
        subject
        for stream, durable in sorted(set(guarded))
        for subject in (
            f"$JS.API.CONSUMER.CREATE.{stream}.{durable}",
            f"$JS.API.CONSUMER.CREATE.{stream}.{durable}.>",
            f"$JS.API.CONSUMER.DELETE.{stream}.{durable}",
        )
    )


def _split(durable: str) -> tuple[str, str]:
    stream, dot, name = durable.partition(".")
    return (stream, name) if dot else ("LOG", durable)
