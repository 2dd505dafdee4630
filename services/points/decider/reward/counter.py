"""What a decision about the store is told beside what has happened: rules, and who asks. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from contracts.envelope import Issued, Reason, Refused
from contracts.reward import StoreRefusal
from contracts.rulebook import Rulebook
from services.points.codes import fits


@dataclass(frozen=True, slots=True)
class Counter:
    """Where the store serves: by which rules, and whom."""

    book: Rulebook
    zone: tzinfo
    is_officer: bool = False
    """Whether who asks is registered as an officer."""
    platform: str | None = None
    """The platform of the rider that the command names; None where nobody registered the rider."""
    code_hash: Callable[[str, int], str] = lambda _id, _issue: ""
    """The hash of the code that the edge derives for a redemption, by the number of the code."""
    code_fits: Callable[[str, str, str], bool] = fits
    """Whether a code is the one of a hash and a redemption."""
    pseudonym: Callable[[str, str], str] = lambda _rider, _month: ""
    """What stands for a rider in the public ledger of a month."""

    def insist_on_officer(self, issued: Issued[Any]) -> None:
        """Raises `Refused` where anybody else asks."""
        if not self.is_officer:
            detail = f"only an officer may do this; you are {issued.actor}"
            raise Refused(no(StoreRefusal.NOT_ALLOWED, detail))

    def insist_on_platform(self, issued: Issued[Any], rider_id: str) -> None:
        """A rider is spoken for by the platform that registered them, and by no other."""
        if self.platform is None:
            detail = f"no platform speaks for {rider_id}; register the rider first (register_party)"
            raise Refused(no(StoreRefusal.UNKNOWN_RIDER, detail, "rider_id"))
        if self.platform != issued.actor:
            detail = f"{rider_id} is a rider of another platform; you are {issued.actor}"
            raise Refused(no(StoreRefusal.NOT_YOUR_RIDER, detail, "rider_id"))


def no(code: StoreRefusal, detail: str, field: str | None = None) -> Reason:
    """One reason of a refusal."""
    return Reason(code=code, detail=detail, field=field)
