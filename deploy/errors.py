"""What can go wrong with servers and programs; every message says what to do about it."""

from __future__ import annotations

import signal


class DeployError(RuntimeError):
    """Something that runs a house does not; the message says what, and the way out."""


class StartError(DeployError):
    """A process did not come up; the message quotes its log."""


class LeftoverError(DeployError):
    """Something of an earlier run still runs and cannot be stopped."""


class CredentialError(DeployError):
    """A secret on disk cannot be used."""


class HouseRunsError(DeployError):
    """A house runs in this data folder already."""


class NoFreePortError(DeployError):
    """No port could be had."""


class StoppedBySignalError(DeployError):
    """A signal cut off what was under way; everything that ran was stopped in order."""

    def __init__(self, signum: signal.Signals) -> None:
        super().__init__(f"stopped by {signum.name}")
        self.signum = signum
