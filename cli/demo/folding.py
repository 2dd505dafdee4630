"""Lines of Chinese and Latin text, broken where a typesetter would break them.

rich breaks at spaces only, so that Chinese, which has none, falls apart at the wrong places.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

NOT_FIRST: Final = frozenset("，。、；：？！”’）》…,.;:?!)%")
"""What never begins a line."""
NOT_LAST: Final = frozenset("“‘（《(+#")
"""What never ends one."""
WIDE: Final = 2


def breaks(text: str, width: int) -> Iterator[int]:
    """Where the lines of `text` begin that come after the first, each at most `width` cells."""
    begin, used, last = 0, 0, 0
    for place, letter in enumerate(text):
        if place > begin and _may_break(text, place):
            last = place
        used += cell_len(letter)
        if used > width and letter != " " and place > begin:
            begin = last if last > begin and cell_len(text[last : place + 1]) <= width else place
            yield begin
            used = cell_len(text[begin : place + 1])


def _may_break(text: str, place: int) -> bool:
    """Whether a line may begin at `place`."""
    before, after = text[place - 1], text[place]
    if after in NOT_FIRST or before in NOT_LAST or after == " ":
        return False
    return before == " " or cell_len(before) == WIDE or cell_len(after) == WIDE


class Folded:
    """A text that is folded to the width it is given."""

    def __init__(self, *parts: str | tuple[str, str] | Text, style: str = "") -> None:
        self.text = Text.assemble(*parts, style=style)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self.text.divide(breaks(self.text.plain, options.max_width)):
            line.rstrip()
            line.no_wrap = True
            yield line

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(
            min(WIDE, options.max_width), max(1, cell_len(self.text.plain))
        ).with_maximum(options.max_width)


class Glossed:
    """A text and its gloss: on one line where both fit, else one beneath the other."""

    def __init__(self, text: Folded, gloss: Folded) -> None:
        self._text = text
        self._gloss = gloss
        self._both = Folded(text.text, "  ", gloss.text)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if cell_len(self._both.text.plain) <= options.max_width:
            yield self._both
        else:
            yield self._text
            yield self._gloss

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return self._both.__rich_measure__(console, options)
