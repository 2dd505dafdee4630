"""What the rulebook calls everything, in both languages. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from contracts.case import ReturnReason
from contracts.envelope import Reason, Words
from contracts.rulebook import Rulebook
from services.notify.phrases import Speaker

BEYOND: Final = Words(zh="辖区以外", en="beyond every street")
RETURNED: Final = {
    ReturnReason.WRONG_DEPARTMENT: Words(zh="不属本单位职责", en="not this unit's business"),
    ReturnReason.NOT_OUR_AREA: Words(zh="不在本单位辖区", en="not in this unit's area"),
    ReturnReason.NO_SUCH_PLACE: Words(zh="现场找不到该地点", en="no such place"),
    ReturnReason.NEEDS_OTHER_UNIT: Words(zh="须由其他单位处置", en="another unit has to do it"),
}


class Names:
    """The names of one rulebook, with the words that notices use for what has no name."""

    def __init__(self, book: Rulebook) -> None:
        self._zh, self._en = Speaker.of("zh", book), Speaker.of("en", book)
        self._platforms = {platform.code: platform.name for platform in book.platforms}

    def unit(self, code: str) -> Words:
        """A unit."""
        return self._both(lambda speaker: speaker.unit(code))

    def service(self, code: str | None) -> Words:
        """A kind of hazard."""
        return self._both(lambda speaker: speaker.service(code))

    def area(self, code: str | None) -> Words:
        """An area, or what lies outside all of them."""
        return self._both(lambda speaker: speaker.area(code)) if code else BEYOND

    def platform(self, code: str) -> Words:
        """A platform."""
        return self._platforms[code]

    def reasons(self, reasons: Iterable[Reason]) -> Words:
        """Why something was refused, as the rider is told."""
        listed = tuple(reasons)
        return self._both(lambda speaker: speaker.reasons(listed))

    def _both(self, say: Callable[[Speaker], str]) -> Words:
        return Words(zh=say(self._zh), en=say(self._en))
