"""Options of the provider ``hosts``: none."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class HostsConfig:
    """The provider ``hosts`` has no options."""
