"""Every fault, by its number."""

from __future__ import annotations

from typing import Final

from tests.faults import cluster, crashes, damage, database, deliveries, operator, power, words
from tests.faults.fault import Fault

FAULTS: Final[tuple[type[Fault], ...]] = (
    crashes.RoomKilledBeforeItsFactIsStored,
    crashes.RoomKilledBeforeItHearsThatItsFactIsStored,
    crashes.RoomKilledBeforeItsAnswer,
    crashes.RoomKilledBehindItsAnswer,
    crashes.ProjectorKilledBeforeItsCommit,
    crashes.ProjectorKilledBehindItsCommit,
    operator.HandlerRaises,
    cluster.LeaderKilled,
    cluster.TwoKilled,
    cluster.AllKilled,
    cluster.LeaderParted,
    cluster.LeaderPartedFromItsPeers,
    cluster.FollowerParted,
    cluster.LeaderPaused,
    power.PowerCut,
    power.TornWrite,
    damage.BitFlippedInTheLog,
    damage.LogCutShort,
    damage.LogDeleted,
    damage.IndexDamaged,
    damage.DescriptionDamaged,
    damage.ConsumerStateDamaged,
    damage.BitFlippedInTheCheckpoint,
    power.DiskFull,
    deliveries.EveryDeliveryTwice,
    deliveries.EveryPublishTwice,
    deliveries.PublishedAgainWhenForgotten,
    deliveries.OutOfOrder,
    deliveries.AcknowledgementsLost,
    database.ServerKilled,
    database.BackendKilledDuringCommit,
    database.ReadOnly,
    database.NoConnectionsLeft,
    database.LockTimeout,
    database.SerializationFailure,
    words.PoisonInTheLog,
    words.NonsenseAtTheDoor,
    words.RequestsReplayed,
    damage.TablesOlderThanTheLog,
    damage.LogOlderThanTheTables,
    damage.SequencesGivenOutAgain,
    operator.DurableDeleted,
    operator.LogFull,
)
