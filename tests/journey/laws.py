"""All laws of a journey, and what breaks them. Pure."""

from __future__ import annotations

from typing import Final

from tests.journey import oracle, replay, tellings
from tests.journey.evidence import Evidence
from tests.journey.oracle import Law

LAWS: Final[tuple[Law, ...]] = (
    oracle.the_log_is_dense,
    oracle.every_chain_is_whole,
    oracle.every_decision_is_whole,
    oracle.everything_happens_once,
    oracle.personal_words_are_sealed,
    oracle.answers_agree,
    oracle.nothing_is_lost,
    oracle.there_are_no_ghosts,
    oracle.the_order_is_that_of_the_world,
    oracle.every_report_has_its_case,
    oracle.every_fixed_case_earns_its_points,
    oracle.every_order_reaches_its_unit,
    oracle.nothing_is_parked,
    tellings.every_notice_is_told_once,
    tellings.every_webhook_is_called,
    replay.the_log_is_what_the_deciders_say,
)


def broken(evidence: Evidence) -> list[str]:
    """What breaks which law; empty when all hold."""
    return [f"{law.__name__}: {how}" for law in LAWS for how in law(evidence)]
