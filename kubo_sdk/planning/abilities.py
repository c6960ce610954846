"""Abilities: what the chosen providers can do, gathered from their capability flags before planning."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Abilities:
    """``withdrawn_by``: units on masters that, when stopped, take back what the masters registered themselves for.

    ``zones``: machines are where their AZ says.  ``stemcell`` names what new machines are made from, if told.

    ``stock_images``: new machines start from a stock image, and have to be prepared.
    """

    disks: bool = False
    shares_trees: bool = False
    publishes_names: bool = False
    runs_on_proxies: bool = False
    zones: bool = False
    stemcell: str = ""
    withdrawn_by: tuple[str, ...] = ()
    stock_images: bool = False
