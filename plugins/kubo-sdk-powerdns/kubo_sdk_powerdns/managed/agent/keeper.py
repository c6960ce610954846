"""Keeper: makes the server say what it should, again and again, and says what keeps it from that."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from kubo_sdk_powerdns.managed.agent import processes
from kubo_sdk_powerdns.managed.agent.candidates import Candidates
from kubo_sdk_powerdns.managed.agent.database import takes_writes
from kubo_sdk_powerdns.managed.agent.differences import OWNER, changes, creation, leftovers
from kubo_sdk_powerdns.managed.agent.journal import Status, say
from kubo_sdk_powerdns.managed.agent.server_api import ApiTrouble, ServerApi
from kubo_sdk_powerdns.managed.agent.settings import Settings, Wishes, Zone, load_wishes, with_api
from kubo_sdk_powerdns.managed.agent.watch import Watch

BEAT_SECONDS = 1.0
# Until the server has served for the first time: other machines are starting, too.
FIRST_SECONDS = 0.2
# So many times in a row the API may be silent while names are answered.
MUTE = 5
# What others did to the records is looked for every so many beats.
LOOK_BEATS = 3
ROOM_BEATS = 10
SERVER, RECURSOR = "pdns_server", "pdns_recursor"


class Keeper:
    """Everything that happens in a beat."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._api = ServerApi(settings)
        self._candidates = Candidates(settings.ca)
        self._status = Status()
        self._wishes, self._stamp = Wishes((), None), 0
        self._served: Wishes | None = None
        self._has_served = False
        self._beats = self._silences = 0
        where = (settings.config, settings.address)
        self._watches = [Watch(SERVER, *where, settings.server_port, settings.zone)]
        if settings.recursor_port:
            self._watches.append(Watch(RECURSOR, *where, settings.recursor_port, settings.zone))

    def run(self) -> None:
        """For ever."""
        while True:
            began = time.monotonic()
            self._status.tell(self._beat())
            pause = BEAT_SECONDS if self._has_served else FIRST_SECONDS
            time.sleep(max(0.05, began + pause - time.monotonic()))

    def _beat(self) -> str:
        """What is done each second; how things are now, in a sentence."""
        self._beats += 1
        try:
            self._read()
        except (OSError, ValueError, KeyError) as error:
            return f"{self._settings.records} cannot be used, what was served stays: {error}"
        answering = [watch.look() for watch in self._watches]
        if not all(answering):
            self._served = None
            return "PowerDNS does not answer"
        wished = with_api(self._wishes, self._candidates.answer())
        if wished != self._served or self._beats % LOOK_BEATS == 0:
            try:
                self._serve(wished)
            except ApiTrouble as error:
                self._served = None
                return self._trouble(error)
            self._served, self._has_served, self._silences = wished, True, 0
        return self._room() if self._beats % ROOM_BEATS == 0 else self._fine()

    def _read(self) -> None:
        stamp = Path(self._settings.records).stat()
        if (changed := stamp.st_mtime_ns ^ stamp.st_ino) != self._stamp:
            self._wishes, self._stamp = load_wishes(self._settings.records), changed
            self._candidates.follow(self._wishes.api)

    def _serve(self, wished: Wishes) -> None:
        for zone in wished.zones:
            self._serve_zone(zone)
        ours = {zone.name.lower() for zone in wished.zones}
        for found in self._api.zones():
            if found.get("account") == OWNER and found["name"].lower() not in ours:
                self._leave(found["name"])

    def _serve_zone(self, zone: Zone) -> None:
        found = self._api.zone(zone.name)
        if found is None:
            say(f"the zone {zone.name} is missing and made")
            self._api.create(creation(zone))
            return
        rrsets = found["rrsets"]
        api = self._wishes.api
        if api and not any(rrset.name == api.name for rrset in zone.rrsets):
            # While nobody knows yet who the API is, what is served stays.
            rrsets = [each for each in rrsets if (each["name"].lower(), each["type"]) != (api.name.lower(), "A")]
        differ = changes(zone, rrsets)
        if differ:
            say(
                "put right: "
                + ", ".join(f"{each['changetype'].lower()} {each['type']} {each['name']}" for each in differ)
            )
            self._api.change(zone.name, differ)

    def _leave(self, name: str) -> None:
        """A zone of ours that is wished for no more: others may have made records in it."""
        zone = self._api.zone(name)
        deleted, empty = leftovers(zone["rrsets"]) if zone else ([], False)
        if empty:
            self._api.delete(name)
        elif deleted:
            self._api.change(name, deleted)

    def _fine(self) -> str:
        count = sum(len(zone.rrsets) for zone in self._wishes.zones)
        where = f"; served from memory, because {self._disk} takes no more" if self._in_memory else ""
        return f"serves {count} record sets{where}"

    def _room(self) -> str:
        """In memory, whether the disk takes writes again: a restart brings the records back to it."""
        if self._in_memory and takes_writes(self._disk):
            self._start_again(f"{self._disk} takes writes again; the names go back there")
        return self._fine()

    def _trouble(self, error: ApiTrouble) -> str:
        self._silences = 0 if error.status else self._silences + 1
        if self._silences >= MUTE:
            self._silences = 0
            self._start_again("PowerDNS answers names and its API is silent; it is ended, and starts again")
        elif error.status and not self._in_memory and not takes_writes(self._disk):
            self._start_again(f"{self._disk} takes no more; the names go to memory")
        return f"the records may be outdated: {error}"

    def _start_again(self, why: str) -> None:
        say(why)
        for pid in processes.find(SERVER, self._settings.config):
            processes.end(pid, signal.SIGTERM)

    @property
    def _disk(self) -> Path:
        return Path(self._settings.database).parent

    @property
    def _in_memory(self) -> bool:
        return self._settings.memory.exists()
