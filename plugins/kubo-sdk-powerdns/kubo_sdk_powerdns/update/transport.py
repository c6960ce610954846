"""UpdateTransport: records by dynamic updates.  Their prerequisites are checked in the same transaction.

So whether a name is free is not asked but demanded, and of two who want it at the same moment one gets it.  What is in
the zone is read by a zone transfer: answers to questions may come from somebody's wildcard.
"""

from __future__ import annotations

import contextlib

import dns.rdatatype
from dns.update import UpdateMessage

from kubo_sdk.errors import Unavailable
from kubo_sdk_powerdns.busy import while_busy
from kubo_sdk_powerdns.ownership import check_free
from kubo_sdk_powerdns.record_set import RecordSet
from kubo_sdk_powerdns.update.client import NoZone, UpdateClient

ATTEMPTS = 10


class UpdateTransport:
    def __init__(self, client: UpdateClient) -> None:
        self._client = client

    def __str__(self) -> str:
        return str(self._client)

    def read_zone(self, zone: str) -> tuple[RecordSet, ...]:
        try:
            found = self._client.transfer(zone)
        except NoZone:
            return ()
        return tuple(
            RecordSet(
                name=name.to_text().lower(),
                type=dns.rdatatype.to_text(rdataset.rdtype),
                ttl=rdataset.ttl,
                contents=tuple(rdata.to_text() for rdata in rdataset),
            )
            for name, rdataset in found.iterate_rdatasets()
        )

    def put(self, zone: str, wished: RecordSet, mark: RecordSet) -> bool:
        return while_busy(lambda: self._put(zone, wished, mark))

    def _put(self, zone: str, wished: RecordSet, mark: RecordSet) -> bool:
        for _ in range(ATTEMPTS):
            if self._replace(zone, wished, mark):
                return True
            if self._create(zone, wished, mark):
                return False
            found = self.read_zone(zone)
            if check_free(wished, mark, found) and wished.type == "CNAME" and self._restore(zone, wished, mark):
                return True
        raise Unavailable(f"{wished.type} {wished.name} changes faster than it can be written; see who else writes it")

    def delete(self, zone: str, name: str, type: str, mark: RecordSet) -> None:
        update = self._update(zone, mark)
        update.delete(name, type)
        update.delete(mark.name, mark.type)
        with contextlib.suppress(NoZone):
            while_busy(lambda: self._client.send(zone, update))

    def _replace(self, zone: str, wished: RecordSet, mark: RecordSet) -> bool:
        """Where it is ours.  An alias replaces an alias; anything else has none beside it."""
        update = self._update(zone, mark)
        if wished.type == "CNAME":
            update.present(wished.name, "CNAME")
        else:
            update.absent(wished.name, "CNAME")
        update.replace(wished.name, wished.ttl, wished.type, *wished.contents)
        return self._client.send(zone, update)

    def _create(self, zone: str, wished: RecordSet, mark: RecordSet) -> bool:
        """Where nobody has it."""
        update = UpdateMessage(zone)
        update.absent(mark.name, mark.type)
        if wished.type == "CNAME":
            update.absent(wished.name)
        else:
            update.absent(wished.name, wished.type)
            update.absent(wished.name, "CNAME")
        update.add(wished.name, wished.ttl, wished.type, *wished.contents)
        update.add(mark.name, mark.ttl, mark.type, *mark.contents)
        return self._client.send(zone, update)

    def _restore(self, zone: str, wished: RecordSet, mark: RecordSet) -> bool:
        """An alias of ours that somebody deleted."""
        update = self._update(zone, mark)
        update.absent(wished.name)
        update.add(wished.name, wished.ttl, wished.type, *wished.contents)
        return self._client.send(zone, update)

    def _update(self, zone: str, mark: RecordSet) -> UpdateMessage:
        """One that is done only where *mark* stands as it is."""
        update = UpdateMessage(zone)
        update.present(mark.name, mark.type, *mark.contents)
        return update
