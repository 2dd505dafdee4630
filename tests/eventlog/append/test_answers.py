"""What the server says, and what it means."""

from __future__ import annotations

import json

import pytest

from eventlog.append.answers import Meaning, read_answer


def error(err_code: int, code: int = 400, description: str = "") -> bytes:
    said: dict[str, object] = {"code": code, "description": description}
    if err_code:
        said["err_code"] = err_code
    return json.dumps({"error": said, "stream": "LOG", "seq": 0}).encode()


def test_stored() -> None:
    answer = read_answer(b'{"stream":"LOG","seq":17}')
    assert (answer.meaning, answer.sequence, answer.count) == (Meaning.STORED, 17, 1)


def test_a_batch_tells_its_last_sequence_and_its_count() -> None:
    answer = read_answer(b'{"stream":"LOG","seq":17,"batch":"b","count":5}')
    assert (answer.meaning, answer.sequence, answer.count) == (Meaning.STORED, 17, 5)


def test_a_duplicate_tells_the_first_sequence() -> None:
    answer = read_answer(b'{"stream":"LOG","seq":3,"duplicate":true}')
    assert (answer.meaning, answer.sequence) == (Meaning.DUPLICATE, 3)


def test_a_wrong_last_sequence_tells_the_true_one() -> None:
    answer = read_answer(error(10071, description="wrong last sequence: 41"))
    assert (answer.meaning, answer.sequence) == (Meaning.REFUSED, 41)


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        (error(10201), Meaning.REFUSED),
        (error(10164), Meaning.AGAIN),
        (error(10158, 409, "duplicate message id is in process"), Meaning.AGAIN),
        (error(10176), Meaning.AGAIN),
        (error(10210, 429), Meaning.AGAIN),
        (error(10167, 429), Meaning.AGAIN),
        (error(10008, 503), Meaning.AGAIN),
        (error(0, 503, "raft: not leader"), Meaning.AGAIN),
        (error(10077, 503, "maximum bytes exceeded"), Meaning.FULL),
        (error(10077, 503, "store is closed"), Meaning.AGAIN),
        (error(10023, 503, "insufficient resources"), Meaning.FULL),
        (error(10060), Meaning.BUG),
        (error(10070), Meaning.BUG),
        (error(10193), Meaning.BUG),
        (error(10174), Meaning.BUG),
        (error(10199), Meaning.BUG),
        (error(10109), Meaning.BUG),
        (error(19999, 503, "from the future"), Meaning.BUG),
        (error(0, 500, "from nowhere"), Meaning.BUG),
        (b"", Meaning.BUG),
        (b"not json", Meaning.BUG),
        (b"[]", Meaning.BUG),
        (b'{"seq":"many"}', Meaning.BUG),
        (b'{"error":{}}', Meaning.BUG),
    ],
)
def test_what_an_answer_means(said: bytes, meaning: Meaning) -> None:
    assert read_answer(said).meaning is meaning


def test_nobody_there_is_no_answer() -> None:
    assert read_answer(b"", "503").meaning is Meaning.AGAIN
