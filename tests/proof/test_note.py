"""Signed notes, checkpoints and cosignatures, by what other programs have written."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof.checkpoint import Checkpoint, opened, split_notes
from proof.cosignature import Inconsistent, cosigned, cosigned_at, witnessed
from proof.entry import Malformed
from proof.merkle import consistency_proof, in_memory, leaf_hash, root_of
from proof.note import BadSignature, Kind, Note, Signature, Signer, Verifier
from tests.proof.logs import LOG, WITNESS

# The example of the reference implementation, golang.org/x/mod/sumdb/note.
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PETER_SIGNED = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdng"
    "otpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_SIGNED = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnW"
    "Lox33WWd1RvMc+QQ=\n"
)
# A checkpoint of a public log, signed with Ed25519.
REKOR = Verifier(
    "log2025-1.rekor.sigstore.dev",
    Kind.NOTE,
    base64.b64decode("MCowBQYDK2VwAyEAt8rlp1knGwjfbcXAYPYAkn0XiLz1x8O4t0YkEhie244=")[-32:],
)
REKOR_CHECKPOINT = (
    "log2025-1.rekor.sigstore.dev\n34356369\ndA9mMr0smTXgo7nGsE01Zdc5KOOqTs2/zYfdSqxO+ks=\n\n"
    "— log2025-1.rekor.sigstore.dev zxGZFQZgTebN28s0D7vKP5gX8R+CsXCved700HCQAHgDHbdkaH3tfx7+"
    "DMPkccNhzsnSy7LijLzWMa+evZduylLs0wc=\n"
).encode()
# A checkpoint of another public log, cosigned by a public witness with Ed25519.
NAVIGLI = Verifier.parse(
    "witness.navigli.sunlight.geomys.org+a3e00fe2+BNy/co4C1Hn1p+INwJrfUlgz7W55dSZReusH/GhUhJ/G"
)
COSIGNED = (
    "coachandhorses2026h1.staging.certificate.transparency.goog\n185550722\n"
    "YXAM0VmnrfvLaBCOOYSJhCaE5F10oGBOo+hkbDa1kng=\n\n"
    "— coachandhorses2026h1.staging.certificate.transparency.goog MpXgsHy8ZwxXnO+WjtVrPxAzL4"
    "9Rs1gWTkNVNeEa//5peAzaocRCB3qt3EaibjzY5GILLtGgBP7dBhgcSHy+JQh0OAc=\n"
    "— witness.navigli.sunlight.geomys.org o+AP4gAAAABqb7DzNrGFRJnQ9vrJ8xpnwZytnr/ZYczDIsvwv"
    "ouiSjwOjn7a72ccxBk+lKnZ7dKqkYKER1s/KxLTaVwQD7lJZTC/CQ==\n"
).encode()
HASHES = [leaf_hash(str(number).encode()) for number in range(20)]


def checkpoint(size: int, hashes: list[bytes] = HASHES) -> Checkpoint:
    return Checkpoint(LOG.name, size, root_of(hashes[:size]))


def test_a_note_is_signed_byte_for_byte_as_elsewhere() -> None:
    assert bytes(Note(TEXT).signed_by(Signer.parse(SKEY))).decode() == f"{TEXT}\n{PETER_SIGNED}"


def test_keys_are_written_as_elsewhere() -> None:
    signer = Signer.parse(SKEY)
    assert (signer.skey, signer.verifier.vkey) == (SKEY, VKEY)
    assert Verifier.parse(VKEY) == signer.verifier


@pytest.mark.parametrize("vkey", [VKEY, ENOCH])
def test_a_note_of_two_is_good_for_each(vkey: str) -> None:
    Note.parse(f"{TEXT}\n{PETER_SIGNED}{ENOCH_SIGNED}".encode()).check(Verifier.parse(vkey))


def test_what_an_unknown_key_signed_counts_for_nothing() -> None:
    note = Note.parse(f"{TEXT}\n{ENOCH_SIGNED}".encode())
    with pytest.raises(BadSignature, match="not signed by PeterNeumann"):
        note.check(Verifier.parse(VKEY))


def test_a_signature_replaces_that_of_the_same_key() -> None:
    twice = Note(TEXT).signed_by(Signer.parse(SKEY)).signed_by(Signer.parse(SKEY))
    assert len(twice.signatures) == 1


@pytest.mark.parametrize(
    "written",
    [
        TEXT,
        f"{TEXT}\n",
        f"{TEXT}\n{PETER_SIGNED[:-1]}",
        f"\x01{TEXT}\n{PETER_SIGNED}",
        f"{TEXT}\n{PETER_SIGNED}Unexpected line.\n",
        f"{TEXT}\n— Bad Name x08go/ZJkuBS\n",
        f"{TEXT}\n— name x08g*\n",
        f"{TEXT}\n— name eA==\n",
        f"{TEXT}\n{PETER_SIGNED * 101}",
    ],
)
def test_what_is_no_note_is_refused(written: str) -> None:
    with pytest.raises(Malformed):
        Note.parse(written.encode())
    with pytest.raises(Malformed):
        Note.parse(b"\xff" + written.encode())


@given(st.integers(0, len(VKEY) - 1), st.integers(1, 127))
def test_a_key_with_one_changed_byte_is_refused_or_of_another_name(place: int, change: int) -> None:
    changed = bytearray(VKEY.encode())
    changed[place] ^= change
    with pytest.raises(Malformed):
        Verifier.parse(changed.decode())


def test_a_private_key_is_not_repeated_in_an_error() -> None:
    for damaged in (SKEY[:-4], SKEY.replace("c74f20a3", "c74f20a4"), "PRIVATE+KEY+x"):
        with pytest.raises(Malformed) as refused:
            Signer.parse(damaged)
        assert "KDFz" not in str(refused.value)
        assert "AYEKFALV" not in str(refused.value)


def test_a_checkpoint_of_a_public_log_is_read_and_its_signature_is_good() -> None:
    found = opened(Note.parse(REKOR_CHECKPOINT), REKOR)
    assert found.size == 34_356_369
    assert found.root == base64.b64decode("dA9mMr0smTXgo7nGsE01Zdc5KOOqTs2/zYfdSqxO+ks=")
    assert found.text.encode() + b"\n" == REKOR_CHECKPOINT[: REKOR_CHECKPOINT.index(b"\xe2\x80")]


def test_a_checkpoint_with_another_size_is_not_signed() -> None:
    with pytest.raises(BadSignature):
        opened(Note.parse(REKOR_CHECKPOINT.replace(b"34356369", b"34356368")), REKOR)


def test_a_cosignature_of_a_public_witness_is_good_and_has_its_time() -> None:
    note = Note.parse(COSIGNED)
    assert cosigned_at(note, NAVIGLI) == 0x6A6FB0F3
    with pytest.raises(BadSignature):
        cosigned_at(Note.parse(COSIGNED.replace(b"185550722", b"185550723")), NAVIGLI)
    with pytest.raises(BadSignature, match="not signed by the witness"):
        cosigned_at(note, WITNESS.verifier)


def test_the_example_of_the_specification_is_framed_as_it_says() -> None:
    line = (
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9"
        "dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    signature = Signature.parse(line)
    assert signature.line == line
    assert signature.key_id.hex() == "8d66cf3f"
    assert int.from_bytes(signature.blob[:8], "big") == 1_679_315_147


@pytest.mark.parametrize(
    "text",
    [
        "log\n1\n",
        "log\n01\nAAAA\n",
        "log\n-1\nAAAA\n",
        "log\nmany\nAAAA\n",
        "log\n1\nAAAA\n",
        "log\n1\n?\n",
        "\n1\ndA9mMr0smTXgo7nGsE01Zdc5KOOqTs2/zYfdSqxO+ks=\n",
        "log\n1\ndA9mMr0smTXgo7nGsE01Zdc5KOOqTs2/zYfdSqxO+ks=",
        "log\n1\ndA9mMr0smTXgo7nGsE01Zdc5KOOqTs2/zYfdSqxO+ks=\n\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Checkpoint.parse(text)


def test_a_checkpoint_of_another_log_is_refused_though_the_key_has_signed_it() -> None:
    other = Checkpoint("log.example/other", 1, HASHES[0])
    with pytest.raises(BadSignature, match="but about log"):
        opened(Note(other.text).signed_by(LOG), LOG.verifier)
    with pytest.raises(BadSignature, match="key of a witness"):
        opened(Note(other.text).signed_by(LOG), WITNESS.verifier)


def test_a_history_is_split_into_its_notes_and_what_was_not_written_whole() -> None:
    notes = [bytes(cosigned(checkpoint(n).signed(LOG), WITNESS, 9)) for n in (1, 2, 3)]
    whole = b"".join(notes)
    for cut in range(len(whole) + 1):
        found, left = split_notes(whole[:cut])
        assert b"".join(found) + left == whole[:cut]
        assert all(Note.parse(note).text.startswith(LOG.name) for note in found)
    assert split_notes(whole) == (notes, b"")


def test_a_witness_signs_what_goes_on_from_what_it_has_seen() -> None:
    first = witnessed(checkpoint(5).signed(LOG), LOG.verifier, None, [], WITNESS, 100)
    assert cosigned_at(first, WITNESS.verifier) == 100
    proof = consistency_proof(5, 13, in_memory(HASHES[:13]))
    second = witnessed(checkpoint(13).signed(LOG), LOG.verifier, checkpoint(5), proof, WITNESS, 200)
    assert cosigned_at(second, WITNESS.verifier) == 200
    again = witnessed(second, LOG.verifier, checkpoint(13), [], WITNESS, 300)
    assert cosigned_at(again, WITNESS.verifier) == 300


def test_a_witness_signs_neither_a_fork_nor_a_shorter_log_nor_a_strangers() -> None:
    forked = [*HASHES[:3], leaf_hash(b"forged"), *HASHES[4:]]
    proof = consistency_proof(5, 13, in_memory(forked[:13]))
    fork = checkpoint(13, forked).signed(LOG)
    with pytest.raises(Inconsistent, match="not shown to begin"):
        witnessed(fork, LOG.verifier, checkpoint(5), proof, WITNESS, 1)
    with pytest.raises(Inconsistent, match="not shown to begin"):
        witnessed(checkpoint(13).signed(LOG), LOG.verifier, checkpoint(5), [], WITNESS, 1)
    with pytest.raises(Inconsistent, match=r"had 13 entries .* now has 5"):
        witnessed(checkpoint(5).signed(LOG), LOG.verifier, checkpoint(13), [], WITNESS, 1)
    with pytest.raises(BadSignature):
        witnessed(Note(checkpoint(5).text), LOG.verifier, None, [], WITNESS, 1)
    stranger = Signer(LOG.name, Kind.NOTE, bytes(32))
    with pytest.raises(BadSignature):
        witnessed(checkpoint(5).signed(stranger), LOG.verifier, None, [], WITNESS, 1)
