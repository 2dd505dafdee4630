"""The store's counter: from a request to all that it concerns, to one decision, to an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from contracts import reward as r
from contracts.envelope import Answer, Command, Fact, Issued, Outcome, Reason, Refused
from contracts.reward import StoreRefusal, TakeStep
from contracts.rulebook import Published, in_force
from eventlog.deliveries import NotReady
from eventlog.execute import Done, Execution
from eventlog.joint import JointExecution, States
from eventlog.read import read_stream
from eventlog.service import Handled, Service
from eventlog.standing import Standing
from services.points.codes import code_of, fits, hash_of, pseudonym_of, secret_for
from services.points.decider.reward import SERVES, SETTLES, Counter, Things, about, serve
from services.points.decider.reward.state import Take, Thing
from services.points.parties import Parties

ROOM: Final = "points"
ASKED: Final[tuple[type[Command], ...]] = tuple(
    kind for kind in (*SERVES, *SETTLES) if kind is not r.ExpireRedemption
)
"""What can be asked from outside; that time runs out, the house says to itself."""
WITH_A_CODE: Final = (r.RedeemItem, r.ReissueCode)
"""Commands that are answered with a ticket."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What codes and pseudonyms are derived from."""

    codes: bytes
    pseudonyms: bytes

    @classmethod
    def of(cls, master: bytes) -> Secrets:
        """Both, from the one secret that the house keeps."""
        return cls(secret_for(master, "redemption codes"), secret_for(master, "pseudonyms"))

    def code_hash(self, redemption_id: str, issue: int) -> str:
        """The hash of a code, as the log keeps it."""
        return hash_of(redemption_id, code_of(self.codes, redemption_id, issue))

    def code_for(self, take: Take) -> str | None:
        """The code of a redemption, derived anew; None where there is none, or not any more.

        It must fit the hash that the log keeps: a house whose secret has changed shows no code
        rather than a wrong one. The one that was shown before goes on to be right.
        """
        if take.step is not TakeStep.ISSUED or take.held is None:
            return None
        code = code_of(self.codes, take.held.reward_id, take.issue)
        return code if fits(take.code_hash, take.held.reward_id, code) else None


@dataclass(frozen=True, slots=True)
class Store:
    """What the store's subscribers share."""

    service: Service
    published: Standing[Published]
    parties: Standing[Parties]
    things: Execution[Thing | None, Counter]
    joint: JointExecution
    secrets: Secrets

    async def handle(self, issued: Issued[Any]) -> Handled:
        """Carry out a command on the store."""
        done = await self._carry_out(issued)
        if isinstance(issued.command, WITH_A_CODE):
            take = await self.things.state(done.stream_id)
            return self._ticket(done.answer(), take), done.known
        return done.answer((r.CodeRefused,)), done.known

    async def show(self, issued: Issued[r.ShowCode]) -> Handled:
        """The code once more, for the platform of the rider alone."""
        redemption_id = issued.command.reward_id
        take = await self.things.state(redemption_id, fresh=True)
        if not isinstance(take, Take) or take.held is None:
            detail = "there is no such redemption"
            raise Refused(Reason(code=StoreRefusal.NOT_THERE, field="reward_id", detail=detail))
        if take.held.platform != issued.actor:
            detail = f"only {take.held.platform} shows the codes of its riders"
            raise Refused(Reason(code=StoreRefusal.NOT_YOUR_RIDER, detail=detail))
        return self._ticket(Answer(outcome=Outcome.ACCEPTED, id=redemption_id), take), False

    async def expire(self, redemption_id: str, moment: datetime) -> None:
        """The moment that a redemption waits for has come."""
        issued = Issued(
            command=r.ExpireRedemption(reward_id=redemption_id, moment=moment),
            command_id=f"expire-{redemption_id}-{int(moment.timestamp() * 1_000_000)}",
            actor=ROOM,
            at=datetime.now(UTC),
            correlation=redemption_id,
        )
        await self._carry_out(issued)

    async def _carry_out(self, issued: Issued[Any]) -> Done:
        command = issued.command
        known = await self._looked_up(command)
        held = known.take(command.reward_id).held
        rider = getattr(command, "rider_id", None) or (held.rider_id if held else None)
        names = [("reward", thing) for thing in about(command, known)]
        accounts = [("account", rider)] if rider and type(command) in SETTLES else []
        counter = await self._counter(issued, rider)
        is_new = isinstance(command, r.SuggestWish | r.RedeemItem)
        return await self.joint.carry_out(
            issued,
            (*names, *accounts),
            partial(_decide, counter=counter),
            likely_new=names[:1] if is_new else (),
        )

    async def _looked_up(self, command: Any) -> Things:
        """What tells which other ids the command concerns; all of it never changes."""
        if isinstance(command, r.RedeemItem):
            return Things({command.item_id: await self.things.state(command.item_id)})
        if type(command) in SETTLES:
            return Things({command.reward_id: await self.things.state(command.reward_id)})
        return Things({})

    async def _counter(self, issued: Issued[Any], rider: str | None) -> Counter:
        book = in_force(self.published.value, issued.at)
        if book is None:
            raise NotReady(f"no rulebook is in force at {issued.at.isoformat()}")
        await self._know(issued.actor)
        if rider:
            await self._know(rider)
        parties = self.parties.value
        return Counter(
            book=book,
            zone=ZoneInfo(book.time_zone),
            is_officer=parties.is_officer(issued.actor),
            platform=parties.platform_of(rider) if rider and rider not in parties.erased else None,
            code_hash=self.secrets.code_hash,
            pseudonym=partial(pseudonym_of, self.secrets.pseudonyms),
        )

    async def _know(self, party_id: str) -> None:
        """A party registered a moment ago may not have been heard of yet: ask the log."""
        if party_id not in self.parties.value.known:
            async for fact in read_stream(self.service.js, "party", party_id, leader=True):
                self.parties.value.heard(fact)

    def _ticket(self, answer: Answer, take: Thing | None) -> r.Ticket:
        if not isinstance(take, Take) or take.held is None:
            return r.Ticket(**answer.model_dump())
        return r.Ticket(
            **answer.model_dump(),
            step=take.step,
            price=take.held.price,
            code=self.secrets.code_for(take),
            use_by=take.use_by,
        )


def _decide(issued: Issued[Any], states: States, *, counter: Counter) -> Sequence[Fact]:
    things = Things({name: state for (stream, name), state in states.items() if stream == "reward"})
    account = next((state for (stream, _), state in states.items() if stream == "account"), None)
    return serve(issued, things, counter, account) if account else serve(issued, things, counter)


def wire(
    service: Service,
    published: Standing[Published],
    parties: Standing[Parties],
    accounts: Execution[Any, Any],
    things: Execution[Thing | None, Counter],
    secrets: Secrets,
) -> Store:
    """Subscribe to what the store carries."""
    store = Store(service, published, parties, things, JointExecution(accounts, things), secrets)
    for kind in ASKED:
        service.command(kind)(store.handle)
    service.command(r.ShowCode)(store.show)
    return store
