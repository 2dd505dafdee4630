"""Redemption codes and pseudonyms: derived from a secret, so that nothing secret is kept. Pure.

A code is 100 bits of HMAC-SHA-256 over the redemption and the number of the code, with a secret of
the service: to whoever lacks the secret it is random. The log keeps its hash alone; whoever sends
the same command again gets the same code, derived anew (ledger invariant L13).
"""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest, digest
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: no letter that can be taken for a digit."""
LENGTH: Final = 20
"""Symbols of five bits each: 100 bits."""
GROUP: Final = 5
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def secret_for(master: bytes, purpose: str) -> bytes:
    """A secret of its own for each purpose, from the one that the house keeps."""
    return digest(master, f"waggle {purpose}".encode(), "sha256")


def code_of(secret: bytes, redemption_id: str, issue: int) -> str:
    """The code of a redemption, in groups to be read aloud: `7H2KD-...`."""
    symbols = _symbols(digest(secret, f"{redemption_id}\n{issue}".encode(), "sha256"), LENGTH)
    return "-".join(symbols[at : at + GROUP] for at in range(0, LENGTH, GROUP))


def hash_of(redemption_id: str, code: str) -> str:
    """What the log keeps of a code. With 100 random bits a plain hash is out of anyone's reach."""
    return sha256(f"{redemption_id}\n{as_meant(code)}".encode()).hexdigest()


def fits(kept: str, redemption_id: str, code: str) -> bool:
    """Whether this is the code, in a time that tells nothing about how near it was."""
    return compare_digest(kept, hash_of(redemption_id, code))


def as_meant(code: str) -> str:
    """A code as typed by hand: either case, hyphens and spaces, letters taken for digits."""
    return code.upper().translate(_READ_AS)


def pseudonym_of(secret: bytes, rider_id: str, month: str) -> str:
    """Stands for a rider in the public ledger of a month; in another month it is another one."""
    return _symbols(digest(secret, f"{month}\n{rider_id}".encode(), "sha256"), 8)


def _symbols(drawn: bytes, length: int) -> str:
    number = int.from_bytes(drawn, "big") >> (8 * len(drawn) - 5 * length)
    return "".join(ALPHABET[number >> (5 * place) & 31] for place in reversed(range(length)))
