"""Signed notes and their keys, as https://c2sp.org/signed-note writes them. Pure.

A note is a text, an empty line, and lines `— <key name> <base64 of key id and signature>`. A key
is known by its name and id together; what unknown keys have signed counts for nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, replace
from enum import IntEnum
from hashlib import sha256
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from proof.entry import Malformed

MOST_BYTES: Final = 1024 * 1024
MOST_SIGNATURES: Final = 100

_DASH: Final = "— "
_PRIVATE: Final = "PRIVATE+KEY+"
_KEY_SIZE: Final = 32
_ID_SIZE: Final = 4
_NAME: Final = re.compile(r"[^\s+]+")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


class Kind(IntEnum):
    """What a key signs, by the byte that the specification assigns."""

    NOTE = 1
    """Ed25519 over the text: a log's own signature."""
    COSIGNATURE = 4
    """Ed25519 over a moment and the text: a witness's (`proof.cosignature`)."""


class BadSignature(Exception):
    """A signature that is wanted is not there, or is not what it claims to be."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key by its name."""

    name: str
    kind: Kind
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell it from other keys of the same name."""
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return sha256(named).digest()[:_ID_SIZE]

    @property
    def vkey(self) -> str:
        """How it is published: `<name>+<id>+<base64>`."""
        coded = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{coded}"

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read what `vkey` writes. Raises `Malformed`."""
        name, kind, public, key_id = _parsed(vkey.strip(), "public key")
        verifier = cls(name, kind, public)
        if verifier.key_id.hex() != key_id:
            raise Malformed(f"public key {name!r}: the id {key_id} is of another key")
        return verifier

    def check(self, message: bytes, signature: bytes) -> None:
        """Raise `BadSignature` unless this key has signed the message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError) as error:
            raise BadSignature(f"the signature of {self.name} is not over this text") from error


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key by its name."""

    name: str
    kind: Kind
    seed: bytes

    @property
    def verifier(self) -> Verifier:
        """Its public half."""
        key = Ed25519PrivateKey.from_private_bytes(self.seed)
        return Verifier(self.name, self.kind, key.public_key().public_bytes_raw())

    @property
    def skey(self) -> str:
        """How it is kept: `PRIVATE+KEY+<name>+<id>+<base64>`. Nobody else may see it."""
        coded = base64.b64encode(bytes([self.kind]) + self.seed).decode()
        return f"{_PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{coded}"

    @classmethod
    def parse(cls, skey: str) -> Self:
        """Read what `skey` writes. Raises `Malformed`, without repeating the key."""
        skey = skey.strip()
        if not skey.startswith(_PRIVATE):
            raise Malformed("not a private key of a signed note")
        name, kind, seed, key_id = _parsed(skey.removeprefix(_PRIVATE), "private key")
        signer = cls(name, kind, seed)
        if signer.verifier.key_id.hex() != key_id:
            raise Malformed(f"private key {name!r}: the id {key_id} is of another key")
        return signer

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of Ed25519 over the message."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)


@dataclass(frozen=True, slots=True)
class Signature:
    """One line under a note. Says nothing until it is checked."""

    name: str
    key_id: bytes
    blob: bytes

    @property
    def line(self) -> str:
        """As it is written, with its line feed."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.blob).decode()}\n"

    def is_of(self, verifier: Verifier) -> bool:
        """Whether it claims to be of this key."""
        return (self.name, self.key_id) == (verifier.name, verifier.key_id)

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a line, with or without its line feed. Raises `Malformed`."""
        name, space, coded = line.removesuffix("\n").removeprefix(_DASH).partition(" ")
        try:
            blob = base64.b64decode(coded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Malformed(f"a signature that is not base64: {error}") from error
        if not (line.startswith(_DASH) and space and _NAME.fullmatch(name)):
            raise Malformed(f"not a line of a signature: {line[:80]!r}")
        if len(blob) <= _ID_SIZE:
            raise Malformed(f"the signature of {name} is too short")
        return cls(name, blob[:_ID_SIZE], blob[_ID_SIZE:])


@dataclass(frozen=True, slots=True)
class Note:
    """A text with the signatures under it."""

    text: str
    """With its last line feed, without the empty line behind it."""
    signatures: tuple[Signature, ...] = ()

    @classmethod
    def parse(cls, written: bytes) -> Self:
        """Read a note. Raises `Malformed`; no signature is checked here."""
        if len(written) > MOST_BYTES:
            raise Malformed("too long for a note")
        try:
            whole = written.decode()
        except UnicodeDecodeError as error:
            raise Malformed(f"a note is UTF-8: {error}") from error
        if _CONTROL.search(whole):
            raise Malformed("a note holds no control characters but line feeds")
        text, gap, lines = whole.rpartition("\n\n")
        if not gap or not lines.endswith("\n"):
            raise Malformed("a note ends with an empty line and lines of signatures")
        signatures = [Signature.parse(line) for line in lines.splitlines()]
        if len(signatures) > MOST_SIGNATURES:
            raise Malformed("too many signatures under one note")
        return cls(text + "\n", tuple(signatures))

    def __bytes__(self) -> bytes:
        """As it is written."""
        return (self.text + "\n" + "".join(s.line for s in self.signatures)).encode()

    def signed_by(self, signer: Signer) -> Self:
        """With the signature of a key that signs notes."""
        blob = signer.sign(self.text.encode())
        return self.with_(Signature(signer.name, signer.verifier.key_id, blob))

    def with_(self, *signatures: Signature) -> Self:
        """With these signatures; each replaces one of the same key."""
        new = {(s.name, s.key_id): s for s in signatures}
        kept = [s for s in self.signatures if (s.name, s.key_id) not in new]
        return replace(self, signatures=(*kept, *new.values()))

    def check(self, verifier: Verifier) -> None:
        """Raise `BadSignature` unless this key has signed the text."""
        found = [s for s in self.signatures if s.is_of(verifier)]
        if not found:
            raise BadSignature(f"not signed by {verifier.name} ({verifier.key_id.hex()})")
        for signature in found:
            verifier.check(self.text.encode(), signature.blob)


def _parsed(written: str, what: str) -> tuple[str, Kind, bytes, str]:
    """Name, kind, key and id of a key that is written with plus signs."""
    name, _, rest = written.partition("+")
    key_id, _, coded = rest.partition("+")
    if not _NAME.fullmatch(name) or not re.fullmatch(r"[0-9a-f]{8}", key_id):
        raise Malformed(f"not a {what}: it is written NAME+ID+KEY")
    try:
        blob = base64.b64decode(coded, validate=True)
        kind = Kind(blob[0])
    except (binascii.Error, IndexError, ValueError) as error:
        raise Malformed(f"{what} {name!r}: not an Ed25519 key of a note or a witness") from error
    if len(blob) != _KEY_SIZE + 1:
        raise Malformed(f"{what} {name!r}: {len(blob)} bytes where there should be 33")
    return name, kind, blob[1:], key_id
