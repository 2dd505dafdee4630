"""What can go wrong with servers and programs; every message says what to do about it."""

from __future__ import annotations


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
