"""The header block of a NATS message. Pure."""

from __future__ import annotations


def parse_headers(raw: bytes) -> dict[str, str]:
    """Names and values of a block of `Name: value` lines; lines without a colon are passed over.

    Bytes that are no UTF-8 become U+FFFD rather than an error: a foreign header must not stop a
    reader. One pass over the text, since whoever follows the log spends most of its time here.
    """
    headers: dict[str, str] = {}
    for line in raw.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(": ")
        if colon and ":" not in name:
            headers[name] = value
        elif ":" in line:  # written by somebody else's client
            name, _, value = line.partition(":")
            headers[name.strip()] = value.strip()
    return headers
