"""The proof read from files: the sealer's folder, exports, receipts. The one place that reads.

A seal folder, as the sealer writes it and everybody may copy it:

    key            the log's public key, `<name>+<id>+<base64>`
    checkpoint     the latest checkpoint, a signed note
    checkpoints    every checkpoint there was, one behind the other
    tile/...       the tree
    witnesses/     the public keys of witnesses, and the checkpoints that they have cosigned
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import file_digest
from pathlib import Path
from typing import Final

from proof.audit import Audit, Verdict
from proof.checkpoint import Checkpoint, opened, split_notes
from proof.entry import Malformed
from proof.export import LOG, MANIFEST, SEAL, Manifest
from proof.merkle import HASH_SIZE, NotProven
from proof.note import BadSignature, Note, Verifier
from proof.tiles import WIDTH, Tile, Tiles, tiles_of

KEY: Final = "key"
LATEST: Final = "checkpoint"
HISTORY: Final = "checkpoints"
WITNESSES: Final = "witnesses"
EVERY: Final = 10_000
"""Lines between two words about the progress."""

Progress = Callable[[int], None]


class Missing(Exception):
    """A file that is needed is not there: which, and where it should come from."""


def _silent(_: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class SealFolder:
    """The sealer's folder, or a copy of it."""

    path: Path

    def key(self) -> Verifier:
        """The log's public key, as this folder says; compare it with one from elsewhere."""
        return read_key(self.path / KEY)

    def latest(self) -> Note:
        """The latest checkpoint, unchecked."""
        return Note.parse(_read(self.path / LATEST))

    def history(self) -> list[Note]:
        """Every checkpoint that was written whole, unchecked, in the order of writing."""
        notes, _ = split_notes(_read(self.path / HISTORY))
        return [Note.parse(note) for note in notes]

    def checkpoints(self, log: Verifier) -> list[Checkpoint]:
        """Every checkpoint here. Raises `BadSignature` where one is not signed by the log."""
        return [opened(note, log) for note in (*self.history(), self.latest())]

    def tiles(self, size: int) -> Tiles:
        """The tree of the first `size` leaves."""
        return Tiles(size, self.read_tile)

    def read_tile(self, tile: Tile) -> bytes:
        """A tile; where it is gone because it was filled, the full one. Raises `NotProven`."""
        full = tile._replace(width=WIDTH)
        for one in (tile, full):
            try:
                return (self.path / one.path).read_bytes()[: tile.width * HASH_SIZE]
            except FileNotFoundError:
                continue  # the next one may be there; if none is, that is said
        raise NotProven(f"{self.path / tile.path} is missing")


def copy_seal(source: Path, target: Path) -> Checkpoint:
    """Copy all that proves the log up to its latest checkpoint: beside an export, say.

    Safe while the sealer is at work. Gives the checkpoint.
    """
    folder = SealFolder(source)
    latest, log = folder.latest(), folder.key()
    checkpoint = opened(latest, log)
    earlier = [note for note in folder.history() if opened(note, log).size <= checkpoint.size]
    target.mkdir(parents=True, exist_ok=True)
    (target / KEY).write_text(f"{log.vkey}\n")
    (target / LATEST).write_bytes(bytes(latest))
    (target / HISTORY).write_bytes(b"".join(map(bytes, earlier)))
    for tile in tiles_of(checkpoint.size):
        file = target / tile.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(folder.read_tile(tile))
    return checkpoint


def read_key(given: str | Path) -> Verifier:
    """A public key, as it is written or in a file."""
    text = str(given)
    return Verifier.parse(text if "+" in text else _read(Path(text)).decode())


def read_checkpoint(path: Path, log: Verifier) -> Checkpoint:
    """A checkpoint that was kept somewhere. Raises `BadSignature` unless the log has signed it."""
    return opened(Note.parse(_read(path)), log)


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file, without their line feeds."""
    with path.open("rb") as file:
        for line in file:
            yield line.removesuffix(b"\n")


def audit_lines(audit: Audit, lines: Iterable[bytes], progress: Progress = _silent) -> Verdict:
    """Read lines to their end, or to the first bad one."""
    for number, line in enumerate(lines, 1):
        audit.add(line)
        if number % EVERY == 0:
            progress(number)
        if audit.ended:
            break
    return audit.finish()


def verify_export(
    folder: Path,
    *,
    log: Verifier | None = None,
    held: Sequence[Path] = (),
    progress: Progress = _silent,
) -> Verdict:
    """Whether an export is whole and unchanged, by its own files and checkpoints `held` elsewhere.

    Without `log`, the key is the one that lies beside the export.
    """
    manifest = Manifest.parse(_read(folder / MANIFEST))
    seal = SealFolder(folder / SEAL)
    sealed = (seal.path / KEY).is_file()
    key = log or (seal.key() if sealed else None)
    checkpoints: list[Checkpoint] = []
    if key is not None:
        checkpoints += seal.checkpoints(key) if sealed else []
        checkpoints += [read_checkpoint(path, key) for path in held]
    elif held:
        raise Missing("to compare with a checkpoint, name the log's public key too")
    tiles = seal.tiles(opened(seal.latest(), key).size) if sealed and key else None
    audit = Audit(checkpoints, tiles, up_to=manifest.last_sequence)
    verdict = audit_lines(audit, lines_of(folder / LOG), progress)
    return replace(verdict, problems=(*verdict.problems, *_differences(folder, manifest)))


def _differences(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Where the files are not those of the manifest."""
    if LOG not in manifest.files:
        yield f"{MANIFEST} does not name {LOG}"
    for path, wanted in manifest.files.items():
        file = folder / path
        if not file.is_file():
            yield f"{path} is missing"
            continue
        with file.open("rb") as content:
            found = file_digest(content, "sha256").hexdigest()
        if found != wanted.sha256:
            yield f"{path} was changed: its SHA-256 is {found}, the manifest says {wanted.sha256}"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Missing(f"{path} cannot be read: {error.strerror}") from error


ERRORS: Final = (BadSignature, Malformed, Missing, NotProven)
"""What reading and checking raise."""
