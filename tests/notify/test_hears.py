"""Notify is woken for every fact that somebody must be told of."""

from __future__ import annotations

import pytest

from contracts.envelope import Fact
from services.notify.reactions import HEARS, tellings
from tests.contracts.examples import EXAMPLES


@pytest.mark.parametrize("fact", EXAMPLES, ids=lambda fact: type(fact).__name__)
def test_what_somebody_is_told_of_is_heard(fact: Fact) -> None:
    assert not any(tellings(fact, None)) or type(fact) in HEARS
