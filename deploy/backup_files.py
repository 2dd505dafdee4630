"""The files of a backup: what they are called, what they say, and whether they are as written."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from deploy.errors import DeployError
from deploy.snapshots import digest_of

MANIFEST: Final = "manifest.json"
SUMS: Final = "SHA256SUMS"
"""Written last: a folder without it is not a whole backup. `sha256sum -c` understands it."""
STREAMS: Final = "streams"
SEAL: Final = "seal"
"""The sealer's folder of a house, checkpoints and tiles; its key is among the credentials."""
CREDENTIALS: Final = "credentials"
KEY_TABLE: Final = "data_key.csv"
REMEMBERED: Final = "key_backups.json"
"""In the data folder of a house: where its keys were saved to."""


class BadBackup(DeployError):
    """A backup that cannot be made or used: which file, and why."""


class StreamPart(BaseModel):
    """One stream of a backup."""

    model_config = ConfigDict(frozen=True)

    file: str
    config: dict[str, Any]
    state: dict[str, Any]

    @property
    def name(self) -> str:
        """The stream's name."""
        return str(self.config["name"])

    @property
    def last_sequence(self) -> int:
        """Up to which message it goes."""
        return int(self.state["last_seq"])


class Manifest(BaseModel):
    """What a backup holds. `SHA256SUMS` beside it covers every file, this one too."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    id: str
    began_at: datetime
    made_at: datetime
    log_sequence: int
    log_hash: str | None
    """Of the last fact; None where the log was empty."""
    streams: tuple[StreamPart, ...]
    """In the order in which they were saved."""


class KeyManifest(BaseModel):
    """What opens a backup, and until when it may be kept."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    id: str
    """Of the backup that it was made with. A younger one opens an older backup too."""
    made_at: datetime
    delete_by: datetime
    keys: int
    destroyed: int


def insist_on_empty(folder: Path) -> None:
    """Raise unless there is nothing yet."""
    if folder.exists() and any(folder.iterdir()):
        raise BadBackup(f"{folder} is not empty: nothing is written over; name another folder")


M = TypeVar("M", bound=BaseModel)


def read_backup(folder: Path, told: Callable[[str], None] | None = None) -> Manifest:
    """The manifest of a backup whose every file is as it was written. Raises `BadBackup`."""
    manifest = _read(folder, Manifest, told)
    for part in manifest.streams:
        if not (folder / part.file).is_file():
            raise BadBackup(f"{folder / part.file} is missing")
    return manifest


def read_keys(keys: Path, told: Callable[[str], None] | None = None) -> KeyManifest:
    """The manifest of a key backup whose every file is as it was written. Raises `BadBackup`."""
    return _read(keys, KeyManifest, told)


def _read(folder: Path, kind: type[M], told: Callable[[str], None] | None) -> M:
    _insist_on_sums(folder, told)
    try:
        return kind.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise BadBackup(f"{folder / MANIFEST} cannot be read: {error}") from error


def _insist_on_sums(folder: Path, told: Callable[[str], None] | None) -> None:
    try:
        lines = (folder / SUMS).read_text().splitlines()
    except OSError as missing:
        raise BadBackup(
            f"{folder / SUMS} cannot be read ({missing.strerror}): this is no backup, or one that "
            "was never finished; use another one"
        ) from missing
    named: set[str] = set()
    for line in lines:
        digest, _, name = line.partition("  ")
        named.add(name)
        if told is not None:
            told(name)
        file = folder / name
        if not file.is_file():
            raise BadBackup(f"{file} is missing; use another backup")
        if digest_of(file) != digest:
            raise BadBackup(f"{file} is damaged: its SHA-256 is not the one in {SUMS}; use another")
    for name in _files(folder):
        if name not in named:
            raise BadBackup(f"{folder / name} does not belong to this backup: {SUMS} names no such")
    if MANIFEST not in named:
        raise BadBackup(f"{folder / SUMS} names no {MANIFEST}: it is cut off; use another backup")


def seal_off(folder: Path) -> None:
    """Everything to disk, then the sums; and those at once or not at all."""
    names = list(_files(folder))
    for name in names:
        _to_disk(folder / name)
    draft = folder / f".{SUMS}"
    draft.write_text("".join(f"{digest_of(folder / name)}  {name}\n" for name in names))
    _to_disk(draft)
    draft.replace(folder / SUMS)
    _to_disk(folder)


def _files(folder: Path) -> Iterator[str]:
    """Every file of a backup but the sums."""
    for file in sorted(folder.rglob("*")):
        name = str(file.relative_to(folder))
        if file.is_file() and name != SUMS:
            yield name


def to_disk(folder: Path) -> None:
    """Have every file and folder below on the disk, whatever the system still holds in memory."""
    for path in (*folder.rglob("*"), folder):
        if not path.is_symlink() and (path.is_file() or path.is_dir()):
            _to_disk(path)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def key_folder_of(folder: Path) -> Path:
    """Where the keys of a backup go where nothing else is said: beside it."""
    return folder.with_name(f"{folder.name}.keys")


def as_json(manifest: Manifest, keys: KeyManifest) -> dict[str, Any]:
    """What a backup holds, for programs."""
    return {
        "id": manifest.id,
        "made_at": manifest.made_at,
        "log_sequence": manifest.log_sequence,
        "log_hash": manifest.log_hash,
        "streams": {part.name: part.state.get("messages", 0) for part in manifest.streams},
        "keys": json.loads(keys.model_dump_json()),
    }


def copied(source: Path, target: Path) -> None:
    """A folder of the house in the backup, or of the backup in a house; nothing where none is."""
    if source.is_dir():
        shutil.copytree(source, target)


def insist_apart(folder: Path, keys: Path) -> None:
    """Raise unless the keys lie outside of what they open."""
    if keys.resolve().is_relative_to(folder.resolve()):
        raise BadBackup(f"{keys} lies in {folder}: keep the keys apart, for they live shorter")


def close_off(folder: Path) -> None:
    """For nobody else to read."""
    for file in (folder, *folder.rglob("*")):
        file.chmod(0o700 if file.is_dir() else 0o600)


class KeyBackup(BaseModel):
    """Where keys were saved to, and until when they may be there."""

    model_config = ConfigDict(frozen=True)

    folder: Path
    delete_by: datetime


def key_backups(house: Path) -> list[KeyBackup]:
    """Every backup of keys that this house remembers."""
    try:
        kept = json.loads((house / REMEMBERED).read_bytes())
    except FileNotFoundError:
        return []
    return [KeyBackup.model_validate(one) for one in kept]


def remember(house: Path, backups: list[KeyBackup]) -> None:
    """Keep in mind where keys were saved to: whole or not at all."""
    draft = house / f".{REMEMBERED}"
    draft.write_text(json.dumps([one.model_dump(mode="json") for one in backups], indent=2))
    draft.chmod(0o600)
    draft.replace(house / REMEMBERED)


def absolute(path: Path) -> Path:
    """The path from the root on, links followed."""
    return path.resolve()
