"""The proof: that the log is what it was, shown by files alone.

entry ── leaf ──▶ tree (RFC 6962) ──▶ tiles, checkpoint (C2SP) ──▶ cosignatures of witnesses
                       └──▶ receipt: one entry, its path to the root, the signed root

Imports nothing else of this project and needs only the library `cryptography`, so that an auditor
can take this folder alone: `python -m proof verify ...`. Formats: docs/proof.md.
"""
