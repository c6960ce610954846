"""Repair: what is to be done to single instances beside making the world what the spec says."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Repair:
    """Instances by id, each in at most one of the sets that act.

    ``restart_units``: (instance, units) whose units are restarted, all of them where none are named.
    ``reboot``: stopped hard and started again.
    ``replace``: the machine is deleted and made anew with the same disk.  ``wipe``: as replace, but its data is given
    up: an etcd member leaves the cluster and comes back as an empty learner.  ``leave``: nothing is done to these:
    they are paused, stopped on purpose, or cannot be repaired now.  ``anew``: etcd's data is about to be replaced on
    every member, so nobody joins or leaves it.
    """

    restart_units: tuple[tuple[str, tuple[str, ...]], ...] = ()
    reboot: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    wipe: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()
    anew: bool = False

    @property
    def condemned(self) -> tuple[str, ...]:
        """The instances whose machines go."""
        return (*self.replace, *self.wipe)


NO_REPAIR = Repair()
