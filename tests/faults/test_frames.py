"""However a connection is cut into pieces, the same messages come out, and every byte of them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.frames import Cutter, NatsCutter, PostgresCutter

SAID = b"".join(
    (
        b'CONNECT {"name":"intake"}\r\n',
        b"PING\r\n",
        b"SUB cmd.*.intake.> intake 1\r\n",
        b"PUB log.report.r1 5\r\nhe\r\nl\r\n",
        b"PUB log.report.r1 _INBOX.a 0\r\n\r\n",
        b"HPUB log.case.c1 _INBOX.b 12 17\r\nNATS/1.0\r\n\r\nworld\r\n",
        b"MSG deliver.points 7 $JS.ACK.LOG.points.1.2.3.4.5 2\r\n{}\r\n",
        b"HMSG deliver.points 7 12 14\r\nNATS/1.0\r\n\r\n{}\r\n",
        b"-ERR 'Permissions Violation'\r\n",
    )
)
KNOWN = [
    ("CONNECT", ""),
    ("PING", ""),
    ("SUB", ""),
    ("PUB", "log.report.r1"),
    ("PUB", "log.report.r1 _INBOX.a"),
    ("HPUB", "log.case.c1 _INBOX.b"),
    ("MSG", "deliver.points $JS.ACK.LOG.points.1.2.3.4.5"),
    ("HMSG", "deliver.points"),
    ("-ERR", ""),
]


def _message(letter: bytes, body: bytes) -> bytes:
    return letter + (len(body) + 4).to_bytes(4) + body


GREETING = _message(b"", b"\0\3\0\0user\0waggle\0database\0waggle_tables\0\0")
ASKED = GREETING + _message(b"p", b"scram") + _message(b"Q", b"COMMIT;\0") + _message(b"X", b"")


def _nats() -> Cutter:
    return NatsCutter()


def _postgres() -> Cutter:
    return PostgresCutter(from_client=True)


@pytest.mark.parametrize(("cutter", "said"), [(_nats, SAID), (_postgres, ASKED)])
@given(cuts=st.lists(st.integers(0, max(len(SAID), len(ASKED))), max_size=20))
def test_the_pieces_do_not_matter(
    cutter: Callable[[], Cutter], said: bytes, cuts: list[int]
) -> None:
    whole, piecemeal = cutter(), cutter()
    places = [0, *sorted(cut % len(said) for cut in cuts), len(said)]
    pieces = [said[start:end] for start, end in pairwise(places)]
    frames = [frame for piece in pieces for frame in piecemeal.feed(piece)]
    assert frames == list(whole.feed(said))
    assert b"".join(frame.data for frame in frames) == said


def test_a_message_of_nats_is_known_by_its_subject() -> None:
    assert [(frame.kind, frame.about) for frame in NatsCutter().feed(SAID)] == KNOWN


def test_a_message_of_postgres_is_known_by_its_letter() -> None:
    frames = list(PostgresCutter(from_client=True).feed(ASKED))
    assert [frame.kind for frame in frames] == ["", "p", "Q", "X"]
    assert "database waggle_tables" in frames[0].about
    assert frames[2].about == "COMMIT;"
