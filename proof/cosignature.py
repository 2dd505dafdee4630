"""Witnesses: who has seen that the log only grows (https://c2sp.org/tlog-cosignature, Ed25519).

Pure. A witness remembers the last checkpoint that it has signed, and signs another one only when a
consistency proof shows that the log behind it begins with the one that it remembers. So two
histories, shown to two people, need a witness that lies too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from proof.checkpoint import Checkpoint, opened
from proof.entry import Malformed
from proof.merkle import NotProven, check_consistency
from proof.note import BadSignature, Kind, Note, Signature, Signer, Verifier

_HEAD: Final = "cosignature/v1\ntime {}\n"
_TIME_SIZE: Final = 8
_BLOB_SIZE: Final = _TIME_SIZE + 64


class Inconsistent(Exception):
    """The log is not the one that was seen before: evidence to be kept, with both checkpoints."""


def cosigned(note: Note, witness: Signer, timestamp: int) -> Note:
    """The note with the witness's signature, as of `timestamp` (seconds since 1970)."""
    if witness.kind is not Kind.COSIGNATURE:
        raise BadSignature(f"{witness.name} is the key of a log, not of a witness")
    signature = witness.sign((_HEAD.format(timestamp) + note.text).encode())
    blob = timestamp.to_bytes(_TIME_SIZE, "big") + signature
    return note.with_(Signature(witness.name, witness.verifier.key_id, blob))


def cosigned_at(note: Note, witness: Verifier) -> int:
    """When the witness has signed the note, in seconds since 1970. Raises `BadSignature`."""
    moments = [_checked(note, s, witness) for s in note.signatures if s.is_of(witness)]
    if not moments:
        raise BadSignature(f"not signed by the witness {witness.name} ({witness.key_id.hex()})")
    return max(moments)


def witnessed(
    note: Note,
    log: Verifier,
    seen: Checkpoint | None,
    proof: Sequence[bytes],
    witness: Signer,
    timestamp: int,
) -> Note:
    """Cosign a checkpoint, if it is of this log and goes on from the last one `seen`.

    Raises `BadSignature` for a note that the log has not signed, `Inconsistent` where the log has
    been changed or shortened or the proof does not show that it has not.
    """
    new = opened(note, log)
    if seen is not None:
        insist_on_growth(seen, new, proof)
    return cosigned(note, witness, timestamp)


def insist_on_growth(seen: Checkpoint, new: Checkpoint, proof: Sequence[bytes]) -> None:
    """Raise `Inconsistent` unless the log of `new` begins with the one of `seen`."""
    if seen.origin != new.origin:
        raise Inconsistent(f"seen before: {seen.origin}; this is {new.origin}")
    if new.size < seen.size:
        raise Inconsistent(
            f"the log had {seen.size} entries when it was last seen, and now has {new.size}"
        )
    try:
        check_consistency(seen.size, seen.root, new.size, new.root, proof)
    except NotProven as error:
        raise Inconsistent(
            f"the log of {new.size} entries is not shown to begin with the {seen.size} that were "
            f"seen before: {error}"
        ) from error


def _checked(note: Note, signature: Signature, witness: Verifier) -> int:
    if witness.kind is not Kind.COSIGNATURE:
        raise BadSignature(f"{witness.name} is the key of a log, not of a witness")
    if len(signature.blob) != _BLOB_SIZE:
        raise Malformed(f"the cosignature of {signature.name} has a wrong length")
    timestamp = int.from_bytes(signature.blob[:_TIME_SIZE], "big")
    message = (_HEAD.format(timestamp) + note.text).encode()
    witness.check(message, signature.blob[_TIME_SIZE:])
    return timestamp
