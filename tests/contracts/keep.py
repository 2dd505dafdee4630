"""`python -m tests.contracts.keep`: add the golden files that are missing. Never changes one.

A golden file holds a fact as it once stood in a log: `<stream>.<Fact>.v<version>.json`, one for
each version that ever existed. A shape holds the schema that wrote such facts:
`shapes/<Fact>.v<version>.<n>.json`, one for each shape that ever existed, also where a field with
a default was added within a version. Both are what yesterday's logs are made of, so they are added
and never edited.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from contracts.case import AcceptWork
from contracts.envelope import Command, Fact, Issued, all_facts, fact_id
from contracts.export import shape
from eventlog.message import Message, encode
from eventlog.sealing import seal_value
from tests.contracts.case_examples import REPORT
from tests.contracts.examples import EXAMPLES
from tests.contracts.kept import GOLDEN, SHAPES, golden_key, golden_name, shapes_of

DECIDED: Final = datetime.fromisoformat("2026-10-17T10:42:31.482+00:00")
RECORDED: Final = datetime.fromisoformat("2026-10-17T10:42:31.497301+00:00")


def add_missing() -> list[Path]:
    """Write what is missing and say what was written."""
    examples = {type(example): example for example in EXAMPLES}
    added = []
    for index, fact in enumerate(all_facts()):
        path = GOLDEN / golden_name(fact)
        if not path.exists():
            added.append(_write(path, _golden(examples[fact], index)))
        kept = shapes_of(fact.__name__)
        if shape(fact) not in [s for version, s in kept.values() if version == fact.schema_version]:
            turn = sum(version == fact.schema_version for version, _ in kept.values())
            path = SHAPES / f"{fact.__name__}.v{fact.schema_version}.{turn}.json"
            added.append(_write(path, shape(fact)))
    return added


def _golden(example: Fact, index: int) -> dict[str, Any]:
    command_id = f"golden-{example.stream}-{index:02}"
    message, opened = _sealed_message(example, command_id)
    return {
        "subject": message.subject,
        "sequence": 1000 + index,
        "recorded_at": RECORDED.isoformat(),
        "headers": dict(message.headers),
        "body": json.loads(message.body),
        "opened": opened,
    }


def _sealed_message(example: Fact, command_id: str) -> tuple[Message, dict[str, str]]:
    person = str(getattr(example, example.key_of, ""))
    opened = {n: v for n in example.personal if isinstance(v := getattr(example, n), str)}
    its_id = fact_id(example.stream, example.stream_id, command_id, 0)
    boxes = {
        name: seal_value(golden_key(person), person, f"{its_id}/{name}", value)
        for name, value in opened.items()
    }
    issued: Issued[Command] = Issued(
        command=AcceptWork(case_id="golden"),
        command_id=command_id,
        actor="sanitation",
        at=DECIDED.astimezone(UTC),
        cause=fact_id("report", REPORT, REPORT, 0),
        correlation=REPORT,
        trace="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
    sealed = example.model_copy(update=boxes)
    print_ = sha256(command_id.encode()).hexdigest()[:32]
    (message,) = encode([sealed], issued, source="golden", fingerprint=print_, last_hash={})
    return message, opened


def _write(path: Path, document: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=2, ensure_ascii=False)
    path.write_text(f"{text}\n", "utf-8")
    return path


if __name__ == "__main__":
    for written in add_missing():
        print(f"added {written.relative_to(GOLDEN)}")  # noqa: T201 - a script's output
