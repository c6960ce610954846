"""Asks everybody who knows how a cluster is, all at once, and waits for nobody longer than a moment."""

from __future__ import annotations

from kubo_sdk.probe.prober import Prober, probe

__all__ = ["Prober", "probe"]
