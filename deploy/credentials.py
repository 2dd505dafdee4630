"""The secrets of a house on this machine: one file each, readable by its owner only.

Made once and never made again: a key that exists is the key. Losing a file locks its party out
until the server is told a new public key; so a file that cannot be read is an error, not a reason
for a new secret.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import nkeys

from deploy.errors import CredentialError
from deploy.nats_config import User
from deploy.permissions import Party

MASTER_KEY: Final = "master.key"
_PRIVATE_FILE: Final = 0o600
_PRIVATE_FOLDER: Final = 0o700


class Credentials:
    """The folder `credentials` of a house."""

    def __init__(self, house: Path) -> None:
        self.folder = house.resolve() / "credentials"

    def seed_file(self, party: str) -> Path:
        """Where a party's nkey seed is kept; nats-py takes this path as `nkeys_seed`."""
        return self.folder / f"{party}.nk"

    def nkey(self, party: str) -> str:
        """The public nkey of a party, its seed made at the first call."""
        path = self.seed_file(party)
        try:
            return _public_half(self._keep(path, _new_seed))
        except (nkeys.NkeysError, ValueError) as unreadable:
            raise CredentialError(
                f"{path} holds no nkey seed. Restore it from a backup; or delete it, and the next "
                f"start makes a new key for {party!r}, which locks out whoever holds the old one."
            ) from unreadable

    def users(self, parties: Iterable[Party]) -> tuple[User, ...]:
        """The parties with their public keys, as the server wants them."""
        return tuple(User(party, self.nkey(party.name)) for party in parties)

    def password_file(self, role: str) -> Path:
        """Where a database role's password is kept."""
        return self.folder / f"{role}.password"

    def password(self, role: str) -> str:
        """The password of a database role, made at the first call."""
        return self._keep(self.password_file(role), lambda: secrets.token_urlsafe(32))

    def master_key_file(self, make: Callable[[], bytes]) -> Path:
        """Where the key that wraps all data keys is kept, made at the first call."""
        path = self.folder / MASTER_KEY
        if not path.exists():
            self._write_once(path, make())
        return path

    def _keep(self, path: Path, make: Callable[[], str]) -> str:
        if not path.exists():
            self._write_once(path, f"{make()}\n".encode())
        kept = path.read_text().strip()
        if not kept:
            raise CredentialError(f"{path} is empty. Restore it from a backup, or delete it.")
        if path.stat().st_mode & 0o077:
            path.chmod(_PRIVATE_FILE)
        return kept

    def _write_once(self, path: Path, secret: bytes) -> None:
        """Whole or not at all, and never over a file that is there: two starts may race.

        On the disk before it is used: what is sealed with a key outlives a power cut, so the key
        must too.
        """
        self.folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secret)
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        except FileExistsError:
            return  # another start was quicker: its secret counts
        finally:
            draft.unlink()
            _sync_folder(self.folder)


def _sync_folder(folder: Path) -> None:
    """The names in it are on the disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _new_seed() -> str:
    seed: bytes = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    return seed.decode()


def _public_half(seed: str) -> str:
    """The public nkey of a seed whose checksum is right; the library itself does not look."""
    prefix, raw = nkeys.decode_seed(bytearray(seed.encode()))
    if prefix != nkeys.PREFIX_BYTE_USER or nkeys.encode_seed(raw, prefix).decode() != seed:
        raise ValueError("not the seed of a user, or damaged")
    public: bytes = nkeys.from_seed(bytearray(seed.encode())).public_key
    return public.decode()
