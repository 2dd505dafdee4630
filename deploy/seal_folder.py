"""The sealer's folder, written so that a `kill -9` at any moment leaves it whole.

A checkpoint is on disk, at the end of the history, before it is published: what was signed is never
forgotten. Tiles are not waited for. They follow from the log, and are made again from it where a
power cut has cost some: the disk is asked once for each checkpoint, not once for each file, since
those who write facts wait for the same disk.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import Any, Final, Self

from eventlog.message import LOG
from proof.checkpoint import Checkpoint, opened, split_notes
from proof.entry import Malformed
from proof.files import ERRORS, HISTORY, KEY, LATEST, WITNESSES, SealFolder
from proof.merkle import NotProven
from proof.note import BadSignature, Kind, Note, Signer
from proof.tiles import WIDTH, Tiling, check_newest

REFUSED: Final = "refused.json"
"""Why the sealer signs nothing any more, and what it last saw."""

_TAIL: Final = 64 * 1024
"""Bytes at the end of the history in which its last checkpoint is found."""
_PRIVATE_FILE: Final = 0o600
_PRIVATE_FOLDER: Final = 0o700


class SealBroken(Exception):
    """The folder is not as the sealer left it, or another one has it; the text says what to do."""


def keep_key(file: Path, name: str | None = None, kind: Kind = Kind.NOTE) -> Signer:
    """The key of a log or a witness, made at the first call and never again.

    `name` names it for ever; without one the name is drawn, so that no two share it.
    """
    if not file.exists():
        whose = "log" if kind is Kind.NOTE else "witness"
        name = name or f"{whose}.waggle.local/{secrets.token_hex(8)}"
        signer = Signer(name, kind, secrets.token_bytes(32))
        file.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        _write(draft, f"{signer.skey}\n".encode(), mode=_PRIVATE_FILE)
        try:
            os.link(draft, file)
        except FileExistsError:
            pass  # another start was quicker: its key counts
        finally:
            draft.unlink()
    signer = Signer.parse(file.read_text())
    if signer.kind is not kind:
        raise BadSignature(f"{file} is a key for another use")
    return signer


class TilesLost(Exception):
    """The tiles do not give the root that was signed; they can be made again from the log."""


class SealStore:
    """The folder, held by one sealer at a time."""

    def __init__(self, folder: Path, signer: Signer) -> None:
        self.files = SealFolder(folder)
        self._folder = folder
        self._signer = signer
        self._lock: int | None = None
        self.checkpoint: Checkpoint | None = None
        """The latest that was signed."""

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise SealBroken(f"another sealer is at work in {self._folder}") from error
        self._lock = lock
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def open(self) -> Tiling:
        """The tree as it was last signed. Raises `SealBroken`, or `TilesLost`."""
        try:
            self.checkpoint = self._last_signed()
            self._publish_key()
        except ERRORS as error:
            raise SealBroken(
                f"{self._folder} is not as it was left: {error}. Restore it from a copy. Nothing "
                "is signed until then, for it might contradict what was signed before."
            ) from error
        if self.checkpoint is None:
            return Tiling()
        try:
            tiling = Tiling(self.checkpoint.size, self.files.read_tile)
            check_newest(self.files.tiles(self.checkpoint.size), self.checkpoint.root)
        except NotProven as error:
            raise TilesLost(str(error)) from error
        return tiling

    def mend(self, tiling: Tiling) -> None:
        """Write down the tiles of a tree that was made again. Raises `SealBroken`."""
        signed = self.checkpoint
        if signed is None or (tiling.size, tiling.root) != (signed.size, signed.root):
            raise SealBroken(
                f"neither the tiles in {self._folder} nor the log give the root that was signed. "
                f"Restore the stream {LOG} from its mirror or newest backup; nothing is signed "
                "until then."
            )
        self._write(tiling)

    def seal(self, tiling: Tiling) -> Note:
        """Write down all that is new in the tree, and sign it."""
        self._write(tiling)
        self.checkpoint = checkpoint = Checkpoint(self._signer.name, tiling.size, tiling.root)
        note = checkpoint.signed(self._signer)
        with (self._folder / HISTORY).open("ab") as history:
            history.write(bytes(note))
            history.flush()
            os.fsync(history.fileno())
        _put(self._folder / LATEST, bytes(note))
        return note

    def _write(self, tiling: Tiling) -> None:
        for tile, held in tiling.take_tiles():
            _put(self._folder / tile.path, held)
            if tile.width == WIDTH:  # it holds its beginnings
                shutil.rmtree(self._folder / f"{tile.path}.p", ignore_errors=True)

    def refused(self) -> dict[str, Any] | None:
        """What an earlier run has refused to sign, and why."""
        file = self._folder / REFUSED
        found: dict[str, Any] | None = json.loads(file.read_bytes()) if file.is_file() else None
        return found

    def refuse(self, document: dict[str, Any]) -> None:
        """Keep it, so that a restart does not forget it."""
        replace_file(self._folder / REFUSED, json.dumps(document, indent=2).encode() + b"\n")

    def forgive(self) -> None:
        """The log holds again what was missing."""
        (self._folder / REFUSED).unlink(missing_ok=True)

    def keep_cosigned(self, party: str, vkey: str, note: Note) -> None:
        """The last checkpoint that a witness has cosigned, and its key."""
        replace_file(self._folder / WITNESSES / party / KEY, f"{vkey}\n".encode())
        replace_file(self._folder / WITNESSES / party / LATEST, bytes(note))

    def _last_signed(self) -> Checkpoint | None:
        """The last checkpoint in the history, which may be one ahead of the published one."""
        file = self._folder / HISTORY
        if not file.is_file():
            if (self._folder / LATEST).is_file():
                raise NotProven(f"there is a checkpoint, but no {HISTORY}")
            return None
        with file.open("r+b") as history:
            start = max(0, history.seek(0, os.SEEK_END) - _TAIL)
            history.seek(start)
            notes, torn = split_notes(history.read())
            if torn:  # never published, for that comes after it is written whole
                history.truncate(history.tell() - len(torn))
                os.fsync(history.fileno())
        if not notes:
            return None
        note = Note.parse(notes[-1])
        if not self._is_published(note):
            replace_file(self._folder / LATEST, bytes(note))
        return opened(note, self._signer.verifier)

    def _is_published(self, note: Note) -> bool:
        file = self._folder / LATEST
        try:
            return file.is_file() and self.files.latest().text == note.text
        except Malformed:
            return False

    def _publish_key(self) -> None:
        file, vkey = self._folder / KEY, self._signer.verifier.vkey
        if not file.is_file():
            replace_file(file, f"{vkey}\n".encode())
        elif self.files.key().vkey != vkey:
            raise BadSignature(f"{file} is the key of {self.files.key().name}, not {vkey}")


def replace_file(file: Path, content: bytes) -> None:
    """Put a file there, whole and on disk, or leave what was there."""
    _put(file, content, wait=True)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _put(file: Path, content: bytes, *, wait: bool = False) -> None:
    """Put a file there, whole, or leave what was there; with `wait`, until the disk has it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.new")
    _write(draft, content, wait=wait)
    draft.replace(file)


def _write(file: Path, content: bytes, mode: int = 0o644, *, wait: bool = True) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as written:
        written.write(content)
        if wait:
            written.flush()
            os.fsync(written.fileno())
