"""Header blocks, read in one pass."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client

from eventlog.connect import FactClient
from eventlog.headers import parse_headers

NAMES = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789-", min_size=1)
VALUES = st.text(st.characters(exclude_categories=["C", "Z"]))


def block(headers: dict[str, str], between: str = ": ") -> bytes:
    return "".join(f"{name}{between}{value}\r\n" for name, value in headers.items()).encode()


@given(st.dictionaries(NAMES, VALUES), st.sampled_from([": ", ":", ":\t"]))
def test_headers_read_as_nats_py_reads_them(headers: dict[str, str], between: str) -> None:
    raw = block(headers, between)

    assert parse_headers(raw) == Client._parse_header_lines(raw) == headers


def test_values_keep_their_colons_and_lines_without_one_are_passed_over() -> None:
    raw = b"NATS/1.0\r\nce-time: 2026-05-03T14:05:00+00:00\r\nce-source:/waggle/x: y\r\n\r\n"

    assert parse_headers(raw) == {
        "ce-time": "2026-05-03T14:05:00+00:00",
        "ce-source": "/waggle/x: y",
    }


@given(st.binary())
def test_no_bytes_stop_the_reader(raw: bytes) -> None:
    parse_headers(raw)


def test_the_client_reads_headers_through_the_hook_that_nats_py_has() -> None:
    assert FactClient._parse_header_lines is parse_headers
    assert FactClient()._parse_header_lines(b"a: b\r\n") == {"a": "b"}
