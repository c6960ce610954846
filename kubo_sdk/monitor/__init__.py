"""The monitor: looks at a cluster again and again, decides, and repairs."""

from __future__ import annotations

from kubo_sdk.monitor.loop import Monitor
from kubo_sdk.monitor.watching import watch

__all__ = ["Monitor", "watch"]
