"""The AsyncAPI 3 document of the house: every subject, what stands on it, who sends and receives.

Payloads are references to the exported JSON Schemas beside it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, Final

from pydantic import BaseModel

from contracts.case import CaseFile, WorkOrder
from contracts.envelope import STREAMS, TOKEN, Answer, Answers, Command, Fact, Header
from contracts.notice import Notice
from contracts.reward import Ticket

Json = dict[str, Any]

MESSAGES: Final[tuple[type[BaseModel], ...]] = (
    Answer,
    Answers,
    CaseFile,
    Notice,
    Ticket,
    WorkOrder,
)
"""What crosses a wall and is neither command nor fact."""

WRITES: Final = {
    "intake": ("party", "report"),
    "router": ("case", "rulebook", "evaluation"),
    "points": ("account", "cap", "reward"),
    "notify": ("notice",),
}
"""One room writes a stream."""
HEARS: Final = {
    "router": ("report", "case"),
    "points": ("case",),
    "notify": ("report", "case", "account", "reward"),
}
"""The streams that a room reacts to."""
REPLIES: Final[dict[str, tuple[type[BaseModel], ...]]] = {
    "SubmitReports": (Answers, Answer),
    "ReadCase": (CaseFile, Answer),
    "RedeemItem": (Ticket, Answer),
    "ReissueCode": (Ticket, Answer),
    "ShowCode": (Ticket, Answer),
}
"""The replies to a command where they are not just `Answer`."""

_TOKEN: Final[Json] = {"type": "string", "pattern": TOKEN}
_TEXT: Final[Json] = {"type": "string"}
_TIME: Final[Json] = {"type": "string", "format": "date-time"}
_HASH: Final[Json] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}

FACT_HEADERS: Final[dict[str, tuple[Json, str]]] = {
    Header.SPEC: ({"const": "1.0"}, "CloudEvents, binary mode."),
    Header.ID: (_TEXT, "Unique for ever: `<stream>.<id>.<command id>.<index>`."),
    Header.TYPE: (_TEXT, "`waggle.<stream>.<fact>`."),
    Header.SOURCE: (_TEXT, "The room that decided."),
    Header.TIME: (_TIME, "When it happened, by the clock of who decided."),
    Header.SUBJECT: (_TOKEN, "The stream id."),
    Header.VERSION: ({"type": "string", "pattern": "^[1-9][0-9]*$"}, "Of the body's shape."),
    Header.COMMAND: (_TEXT, "The command it follows from: the sender's idempotency key."),
    Header.FINGERPRINT: (_TEXT, "Tells a repeated command from another one under the same id."),
    Header.CORRELATION: (_TEXT, "The id that the whole story shares."),
    Header.ACTOR: (_TOKEN, "The authenticated party that gave the command, or the room."),
    Header.PREVIOUS: (_HASH, "Hash of the fact before it on this subject; zeros for the first."),
    Header.HASH: (_HASH, "SHA-256 over the hash before, subject, headers and body."),
    Header.CAUSE: (_TEXT, "The fact that made the room decide."),
    Header.HISTORY: ({"const": "true"}, "Imported: decided at the moment it happened."),
    Header.TRACE: (_TEXT, "W3C trace context."),
}
FACT_OPTIONAL: Final = frozenset({Header.CAUSE, Header.HISTORY, Header.TRACE})
COMMAND_HEADERS: Final[dict[str, tuple[Json, str]]] = {
    Header.ID: (
        {"type": "string", "pattern": r"^[A-Za-z0-9_.-]{1,120}$"},
        "The sender's idempotency key; a report's own id stands in where it is missing.",
    ),
    Header.TYPE: (_TEXT, "In an inbox: the command's name; `SubmitReport` where it is missing."),
    Header.CORRELATION: (_TEXT, "The id that the whole story shares."),
    Header.HISTORY: ({"const": "true"}, "Only for the archive: decided at `ce-time`."),
    Header.TIME: (_TIME, "With `ce-history`: when it happened."),
    Header.TRACE: (_TEXT, "W3C trace context."),
}
ANSWER_HEADERS: Final[dict[str, tuple[Json, str]]] = {
    Header.KNOWN: ({"const": "true"}, "The command had been decided before this request."),
    Header.ID: (_TEXT, "From an inbox: the `ce-id` that was dropped with the command."),
}
PARKED_HEADERS: Final[dict[str, tuple[Json, str]]] = {
    "waggle-parked-sequence": (_TEXT, "Where the message stands in its stream."),
    "waggle-parked-subject": (_TEXT, "The subject it came on."),
    "waggle-parked-reason": (_TEXT, "Why it could not be handled."),
}


def fact_address(fact: type[Fact]) -> str:
    """`log.<stream>.{<id field>}`."""
    return f"log.{fact.stream}.{{{STREAMS[fact.stream]}}}"


def command_address(command: type[Command]) -> str:
    """`cmd.{party}.<room>.<command>`."""
    return f"cmd.{{party}}.{command.room}.{command.token}"


def asyncapi(facts: Sequence[type[Fact]], commands: Sequence[type[Command]], version: str) -> Json:
    """The whole document. `facts` come sorted by stream."""
    streams = {s: list(of) for s, of in groupby(facts, key=lambda f: f.stream)}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Waggle",
            "version": version,
            "description": (
                "Riders report street hazards, departments handle them, riders earn points. "
                "NATS with JetStream; the party in a command's subject is the authenticated "
                "sender. An answer `busy` or `unknown` means: send it again, unchanged."
            ),
        },
        "defaultContentType": "application/json",
        "channels": _channels(streams, commands),
        "operations": _operations(streams, commands),
        "components": {
            "messages": {
                **{f.__name__: _fact_message(f) for f in facts},
                **{c.__name__: _message(c, "commands", "CommandHeaders") for c in commands},
                **{m.__name__: _message(m, "messages", None) for m in MESSAGES},
                **{m.__name__: _message(m, "messages", "AnswerHeaders") for m in (Answer, Answers)},
                "Parked": _parked_message(),
            },
            "schemas": {
                "FactHeaders": _headers(FACT_HEADERS, FACT_HEADERS.keys() - FACT_OPTIONAL),
                "CommandHeaders": _headers(COMMAND_HEADERS, ()),
                "AnswerHeaders": _headers(ANSWER_HEADERS, ()),
                "ParkedHeaders": _headers(PARKED_HEADERS, PARKED_HEADERS),
            },
        },
    }


def _channels(streams: dict[str, list[type[Fact]]], commands: Sequence[type[Command]]) -> Json:
    logged = {
        f"log.{stream}": _channel(fact_address(of[0]), f"The facts of stream `{stream}`.", of)
        for stream, of in streams.items()
    }
    commanded = {
        f"cmd.{c.room}.{c.token}": _channel(command_address(c), _summary(c), [c]) for c in commands
    }
    submit = [c for c in commands if c.__name__ in ("SubmitReport", "SubmitReports")]
    parked = _channel("parked.{consumer}", "What could not be handled, with the reason.", [])
    return {
        **logged,
        **commanded,
        "reply": {
            "address": None,
            "description": "The reply subject of the request.",
            "messages": _messages(_replies()),
        },
        "work": _channel("work.{unit}", "Work orders: a durable queue for each unit.", [WorkOrder]),
        "outbox": _channel("notice.outbox.{id}", "Notices that every party may read.", [Notice]),
        "inbox": _channel("inbox.{platform}", "A drop-box: stored now, decided later.", submit),
        "answer": _channel("answer.{platform}", "The answers to it.", [Answer, Answers]),
        "parked": {**parked, "messages": {"Parked": _ref("components", "messages", "Parked")}},
    }


def _operations(streams: dict[str, list[type[Fact]]], commands: Sequence[type[Command]]) -> Json:
    operations: Json = {}
    for c in commands:
        reply = [_ref("channels", "reply", "messages", m.__name__) for m in _replies_to(c)]
        operations[f"{c.room}.receive.{c.token}"] = {
            **_operation("receive", f"cmd.{c.room}.{c.token}", _summary(c)),
            "reply": {"channel": _ref("channels", "reply"), "messages": reply},
            "bindings": {"nats": {"queue": c.room, "bindingVersion": "0.1.0"}},
        }
    for room, written in WRITES.items():
        for stream in (s for s in written if s in streams):
            operations[f"{room}.send.{stream}"] = _operation(
                "send", f"log.{stream}", f"Only {room} writes stream `{stream}`."
            )
        for stream in (s for s in HEARS.get(room, ()) if s in streams):
            operations[f"{room}.hear.{stream}"] = _operation(
                "receive", f"log.{stream}", f"{room} reacts to what happens in `{stream}`."
            )
        operations[f"{room}.send.parked"] = _operation(
            "send", "parked", f"What {room} could not handle."
        )
    return operations | {
        "intake.receive.inbox": _operation("receive", "inbox", "A dropped report is decided."),
        "intake.send.answer": _operation("send", "answer", "The answer to a dropped report."),
        "router.send.work": _operation("send", "work", "A unit gets a case, or gets it back."),
        "notify.send.outbox": _operation("send", "outbox", "Somebody is told something."),
    }


def _channel(address: str, description: str, messages: Iterable[type[BaseModel]]) -> Json:
    names = [token[1:-1] for token in address.split(".") if token.startswith("{")]
    return {
        "address": address,
        "description": description,
        "parameters": {name: {"description": _PARAMETERS[name]} for name in names},
        "messages": _messages(messages),
    }


def _messages(messages: Iterable[type[BaseModel]]) -> Json:
    return {m.__name__: _ref("components", "messages", m.__name__) for m in messages}


_PARAMETERS: Final = {
    **{field: f"The id of a {stream} stream." for stream, field in STREAMS.items()},
    "party": "The authenticated party that sends the command.",
    "unit": "The code of a unit.",
    "platform": "The code of a rider platform.",
    "consumer": "The consumer that could not handle it.",
    "id": "The id of the notice.",
}


def _operation(action: str, channel: str, summary: str) -> Json:
    return {"action": action, "channel": _ref("channels", channel), "summary": summary}


def _message(model: type[BaseModel], folder: str, headers: str | None) -> Json:
    message = {
        "name": model.__name__,
        "summary": _summary(model),
        "contentType": "application/json",
        "payload": {"$ref": f"./{folder}/{model.__name__}.json"},
    }
    return message | ({"headers": _ref("components", "schemas", headers)} if headers else {})


def _fact_message(fact: type[Fact]) -> Json:
    fixed = {
        Header.TYPE: {"const": f"waggle.{fact.stream}.{fact.__name__}"},
        Header.VERSION: {"const": str(fact.schema_version)},
    }
    return {
        **_message(fact, "facts", None),
        "headers": {
            "type": "object",
            "allOf": [_ref("components", "schemas", "FactHeaders"), {"properties": fixed}],
        },
        "correlationId": {"location": f"$message.header#/{Header.CORRELATION}"},
    }


def _parked_message() -> Json:
    return {
        "name": "Parked",
        "summary": "The message as it came, its headers kept, with place and reason.",
        "contentType": "application/json",
        "headers": _ref("components", "schemas", "ParkedHeaders"),
        "payload": {"description": "The bytes as they came; they may be unreadable."},
    }


def _headers(headers: dict[str, tuple[Json, str]], required: Iterable[str]) -> Json:
    properties = {name: {**of, "description": says} for name, (of, says) in headers.items()}
    return {"type": "object", "properties": properties, "required": sorted(required)}


def _replies_to(command: type[Command]) -> tuple[type[BaseModel], ...]:
    return REPLIES.get(command.__name__, (Answer,))


def _replies() -> list[type[BaseModel]]:
    return sorted({Answer, *(m for of in REPLIES.values() for m in of)}, key=lambda m: m.__name__)


def _summary(model: type[BaseModel]) -> str:
    return (model.__doc__ or model.__name__).partition("\n")[0]


def _ref(*path: str) -> Json:
    return {"$ref": "#/" + "/".join(path)}
