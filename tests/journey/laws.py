"""The oracle: what must hold of a house whatever it went through, by number. Pure.

A1 to A5 speak of the log and of what senders were told, A6 of the proof, A8 of points, A9 of what
reached others, A10 of holders. A7, that tables equal their rebuilds, and A11, that a healed house
comes to rest in time, are measured on the house itself: `playing.Recording.broken` adds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.journey import holding, oracle, proving, replay, tellings
from tests.journey.evidence import Evidence
from tests.journey.oracle import Law

ASSERTIONS: Final[Mapping[str, tuple[Law, ...]]] = {
    "A1": (oracle.nothing_is_lost, oracle.every_report_has_its_case),
    "A2": (oracle.there_are_no_ghosts, replay.the_log_is_what_the_deciders_say),
    "A3": (oracle.everything_happens_once, oracle.every_decision_is_whole, oracle.answers_agree),
    "A4": (oracle.the_log_is_dense, oracle.nothing_is_lost),
    "A5": (oracle.the_order_is_that_of_the_world, oracle.every_chain_is_whole),
    "A6": (
        oracle.every_chain_is_whole,
        proving.the_log_only_grew,
        oracle.personal_words_are_sealed,
    ),
    "A8": (oracle.every_fixed_case_earns_its_points,),
    "A9": (
        tellings.every_notice_is_told_once,
        tellings.every_webhook_is_called,
        oracle.every_order_reaches_its_unit,
    ),
    "A10": (holding.a_case_has_one_holder,),
    "A11": (oracle.nothing_is_parked,),
}
"""Each assertion and the laws that it consists of."""

LAWS: Final[tuple[Law, ...]] = tuple(
    dict.fromkeys(law for laws in ASSERTIONS.values() for law in laws)
)


def broken(evidence: Evidence) -> list[str]:
    """What breaks which law; empty when all hold."""
    return [
        f"{' '.join(number for number, laws in ASSERTIONS.items() if law in laws)} "
        f"{law.__name__}: {how}"
        for law in LAWS
        for how in law(evidence)
    ]
