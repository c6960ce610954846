"""Upkeep: what is done beside answering: the snapshot is written, and the machine's resolvers are looked at."""

from __future__ import annotations

import time

from kubo_sdk_powerdns.cluster.agent import snapshot
from kubo_sdk_powerdns.cluster.agent.catalog import Catalog
from kubo_sdk_powerdns.cluster.agent.recursor import Recursor, write_forwards
from kubo_sdk_powerdns.cluster.agent.resolvers import Watched, forwards
from kubo_sdk_powerdns.cluster.agent.settings import Settings
from kubo_sdk_powerdns.cluster.agent.trouble import Trouble

LOOK_SECONDS = 1.0
# A cluster where something changes all the time must not wear out the disk.
SAVE_SECONDS = 5.0


class Upkeep:
    """`run` in a thread of its own, after `prepare`."""

    def __init__(self, settings: Settings, catalog: Catalog, recursor: Recursor) -> None:
        self._settings = settings
        self._catalog = catalog
        self._recursor = recursor
        self._watched = Watched(settings.resolv_conf, settings.hosts)
        self._changed = False
        self._saved = time.monotonic()
        self._disk = Trouble("write down what is known")

    def prepare(self) -> None:
        """Write what the recursor needs for its start."""
        write_forwards(self._settings.forwards, forwards(self._settings))

    def touch(self) -> None:
        """The snapshot is old."""
        self._changed = True

    def run(self) -> None:
        """Never returns."""
        while True:
            time.sleep(LOOK_SECONDS)
            if self._watched.changed():
                write_forwards(self._settings.forwards, forwards(self._settings))
                self._recursor.reload_zones()
            if self._changed and time.monotonic() - self._saved >= SAVE_SECONDS:
                self.save()

    def save(self) -> None:
        """A disk that is full costs what is known after a start without the API, and nothing else."""
        if not self._changed:
            return
        self._changed, self._saved = False, time.monotonic()
        try:
            snapshot.save(self._settings.snapshot, self._catalog)
        except OSError as error:
            self._changed = True
            self._disk.begins(str(error))
        else:
            self._disk.ends()
