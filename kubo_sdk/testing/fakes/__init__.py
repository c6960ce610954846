"""Honest fakes: a cloud in memory on which whole clusters are deployed, broken and healed within a test."""

from __future__ import annotations

from kubo_sdk.testing.fakes.clock import VirtualClock
from kubo_sdk.testing.fakes.cloud import FakeCloud
from kubo_sdk.testing.fakes.faults import DirectorKilled, Faults
from kubo_sdk.testing.fakes.machine import FakeMachine
from kubo_sdk.testing.fakes.release import fake_release, fake_spec, sized

__all__ = ["DirectorKilled", "FakeCloud", "FakeMachine", "Faults", "VirtualClock", "fake_release", "fake_spec", "sized"]
