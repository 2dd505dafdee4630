"""What a decision of points rests on beside the account: the rulebook, and who is who. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.account import AccountRefusal
from contracts.envelope import Reason, Refused
from contracts.rulebook import Earning, Rulebook
from services.points.parties import Parties


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules in force, and the people that they are for."""

    book: Rulebook
    parties: Parties = field(default_factory=Parties)

    @property
    def earning(self) -> Earning:
        """The earning document."""
        return self.book.earning

    @property
    def label(self) -> str:
        """As entries record the rules."""
        return self.book.label

    def day(self, at: datetime) -> str:
        """The day of a moment in the district, `2026-05-03`."""
        return at.astimezone(ZoneInfo(self.book.time_zone)).date().isoformat()

    def activates_at(self, at: datetime) -> datetime:
        """The end of the pending window of what is earned at a moment."""
        return at + timedelta(days=self.earning.pending_days)

    def expires_at(self, at: datetime) -> datetime | None:
        """The end of what becomes active at a moment."""
        lasts = self.earning.lifetime_days
        return at + timedelta(days=lasts) if lasts else None

    def insist_on_officer(self, actor: str, rider: str) -> None:
        """Only officers decide about points, and none on points of their own (invariant L19)."""
        if not self.parties.is_officer(actor):
            detail = f"{actor} is not registered as an officer"
            raise refused(AccountRefusal.NOT_AN_OFFICER, detail)
        if rider in (actor, self.parties.of(actor).rider_id):
            raise refused(AccountRefusal.YOUR_OWN, "another officer must decide on your own points")


def refused(code: AccountRefusal, detail: str, field: str | None = None) -> Refused:
    """A refusal with one reason."""
    return Refused(Reason(code=code, detail=detail, field=field))
