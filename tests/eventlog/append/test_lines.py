"""Each stream id serves one at a time, in order; nobody waits for a stranger."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eventlog.append.lines import Lines

KEYS = st.sets(st.sampled_from("abcde"), min_size=1, max_size=3)


def test_who_is_first_everywhere_may_go() -> None:
    lines: Lines[str] = Lines()
    lines.join("first", "ab")
    lines.join("stranger", "c")
    lines.join("behind", "bc")
    assert list(lines.ready) == ["first", "stranger"]


def test_who_stands_behind_two_waits_for_both() -> None:
    lines: Lines[str] = Lines()
    lines.join("one", "a")
    lines.join("two", "b")
    lines.join("behind", "ab")
    lines.leave("one", "a")
    assert "behind" not in lines.ready
    lines.leave("two", "b")
    assert list(lines.ready)[-1] == "behind"


def test_who_gives_up_in_the_middle_lets_the_next_move_up() -> None:
    lines: Lines[str] = Lines()
    for name in ("one", "two", "three"):
        lines.join(name, "a")
    lines.leave("two", "a")
    lines.leave("one", "a")
    assert list(lines.ready)[-1] == "three"
    lines.leave("three", "a")
    assert len(lines) == 0


@given(st.lists(KEYS, max_size=30), st.data())
def test_whatever_happens_each_goes_once_in_order_and_alone(
    wishes: list[set[str]], data: st.DataObject
) -> None:
    """Some leave after their turn, some give up before it; nobody is forgotten."""
    lines: Lines[int] = Lines()
    coming = list(range(len(wishes)))
    waiting: list[int] = []
    inside: list[int] = []
    served: list[int] = []
    given_up: list[int] = []
    while coming or waiting or inside:
        moves = {"come": coming, "go in": lines.ready, "leave": inside, "give up": waiting}
        match data.draw(st.sampled_from([name for name, who in moves.items() if who])):
            case "come":
                waiting.append(coming.pop(0))
                lines.join(waiting[-1], wishes[waiting[-1]])
            case "go in":
                one = lines.ready.popleft()
                if one in waiting:
                    assert not any(wishes[one] & wishes[other] for other in inside)
                    waiting.remove(one)
                    inside.append(one)
                    served.append(one)
            case "leave":
                one = inside.pop(data.draw(st.integers(0, len(inside) - 1)))
                lines.leave(one, wishes[one])
            case "give up":
                one = waiting.pop(data.draw(st.integers(0, len(waiting) - 1)))
                lines.leave(one, wishes[one])
                given_up.append(one)
    assert sorted(served + given_up) == list(range(len(wishes)))
    for key in "abcde":
        turns = [one for one in served if key in wishes[one]]
        assert turns == sorted(turns)
    assert len(lines) == 0
