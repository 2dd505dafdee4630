"""An export of the log as a folder that proves itself. Pure; `proof.files` reads it.

DIR/manifest.json     the files with their SHA-256 and rows, and the last sequence
DIR/log.jsonl         one line an entry, from sequence 1 on (`proof.entry`)
DIR/seal/             where a checkpoint covers it: the key, the checkpoints and the tiles, as
                      the sealer publishes them
DIR/...               more files, such as tables, each named in the manifest
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final, Self

from proof.entry import Malformed

FORMAT: Final = "waggle-export/1"
MANIFEST: Final = "manifest.json"
LOG: Final = "log.jsonl"
SEAL: Final = "seal"

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file of an export."""

    sha256: str
    """In hexadecimal."""
    rows: int
    """How many lines or rows it has."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export says that it holds. Members that are not named here are nobody's concern."""

    last_sequence: int
    """The export is of the log up to here; 0 for an empty one."""
    files: Mapping[str, ExportedFile]
    """By path below the folder, with `/` between its parts."""

    @property
    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "format": FORMAT,
            "last_sequence": self.last_sequence,
            "files": {
                path: {"sha256": file.sha256, "rows": file.rows}
                for path, file in sorted(self.files.items())
            },
        }

    @classmethod
    def parse(cls, written: bytes) -> Self:
        """Read a manifest. Raises `Malformed`."""
        try:
            document = json.loads(written)
            if document["format"] != FORMAT:
                raise Malformed(f"not a {FORMAT}: {document['format']!r}")
            files = {path: _file(path, file) for path, file in document["files"].items()}
            return cls(_number(document["last_sequence"]), files)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Malformed(f"not a manifest: {type(error).__name__}: {error}") from error


def _file(path: str, file: Mapping[str, Any]) -> ExportedFile:
    parts = PurePosixPath(path)
    if parts.is_absolute() or not parts.parts or ".." in parts.parts or str(parts) != path:
        raise Malformed(f"{path!r} is not a path below the folder")
    if not _SHA256.fullmatch(file["sha256"]):
        raise Malformed(f"{path}: not a SHA-256: {file['sha256']!r}")
    return ExportedFile(file["sha256"], _number(file["rows"]))


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise Malformed(f"not a number of rows or a sequence: {value!r}")
    return value
