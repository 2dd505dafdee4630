"""The golden files: what is kept of every version of every fact."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.envelope import Fact

GOLDEN: Final = Path(__file__).parent / "golden"
FILES: Final = sorted(GOLDEN.glob("*.json"))
SHAPES: Final = GOLDEN / "shapes"


@dataclass(frozen=True, slots=True)
class Golden:
    """A fact as it stood in a log, and what its sealed fields said."""

    name: str
    subject: str
    sequence: int
    recorded_at: datetime
    headers: dict[str, str]
    body: bytes
    opened: dict[str, str]


def golden_name(fact: type[Fact]) -> str:
    """The file of today's version."""
    return f"{fact.stream}.{fact.__name__}.v{fact.schema_version}.json"


def read_golden(path: Path) -> Golden:
    """The fact in a golden file, its body in the bytes that were hashed."""
    kept = json.loads(path.read_text("utf-8"))
    body = json.dumps(kept["body"], ensure_ascii=False, separators=(",", ":")).encode()
    moment = datetime.fromisoformat(kept["recorded_at"])
    return Golden(
        path.name, kept["subject"], kept["sequence"], moment, kept["headers"], body, kept["opened"]
    )


def shapes_of(fact_name: str) -> dict[str, tuple[int, dict[str, Any]]]:
    """Every shape kept of a fact: by file name its version and schema."""
    return {
        path.name: (
            int(path.name.split(".v")[1].split(".")[0]),
            json.loads(path.read_text("utf-8")),
        )
        for path in sorted(SHAPES.glob(f"{fact_name}.v*.json"))
    }


def golden_key(person: str) -> AESGCM:
    """The key that golden files are sealed with; anybody may know it."""
    return AESGCM(sha256(f"golden {person}".encode()).digest())
