"""Dns: the records of one zone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Protocol

from attrs import field, frozen

_LABEL = r"(?:\*|[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_SERVICE = re.compile(r"(?:[0-9]{1,5} ){3}(?P<target>\S+)")
_LONGEST_TTL = 2**31 - 1


def _sorted(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(values))


def _check_ipv4(text: str) -> None:
    try:
        IPv4Address(text)
    except ValueError:
        raise ValueError(f"{text!r} is no IPv4 address; write it as 192.0.2.1") from None


def _check_ipv6(text: str) -> None:
    try:
        IPv6Address(text)
    except ValueError:
        raise ValueError(f"{text!r} is no IPv6 address; write it as 2001:db8::1") from None


def _check_host(text: str) -> None:
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is no full name; write its labels with dots between them and none at the end")


def _check_service(text: str) -> None:
    found = _SERVICE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no service; write priority, weight, port and target with a space between them")
    if found["target"] != ".":
        _check_host(found["target"])


def _check_text(text: str) -> None:
    if not text.isprintable():
        raise ValueError(f"{text!r} has characters that cannot be printed; leave out line ends and the like")


_CHECKS: Mapping[str, Callable[[str], object]] = {
    "A": _check_ipv4,
    "AAAA": _check_ipv6,
    "CNAME": _check_host,
    "TXT": _check_text,
    "SRV": _check_service,
    "PTR": _check_host,
}
RECORD_TYPES = tuple(_CHECKS)


def _name(_record: object, _attribute: Any, name: str) -> None:
    _check_host(name)


def _type(_record: object, _attribute: Any, type: str) -> None:
    if type not in _CHECKS:
        raise ValueError(f"{type!r} is no type of record here; use one of {', '.join(RECORD_TYPES)}")


def _values(record: Record, _attribute: Any, values: tuple[str, ...]) -> None:
    if not values:
        raise ValueError(f"{record.type} {record.name} has no value; give one, or delete the record")
    if record.type == "CNAME" and len(values) > 1:
        raise ValueError(f"CNAME {record.name} has {len(values)} values; an alias has one")
    for value in values:
        _CHECKS[record.type](value)


def _ttl(_record: object, _attribute: Any, ttl: int) -> None:
    if not 0 <= ttl <= _LONGEST_TTL:
        raise ValueError(f"{ttl} is no time to live; use seconds from 0 to {_LONGEST_TTL}")


@frozen(kw_only=True, order=True)
class Record:
    """One record set.  ``name`` is fully qualified without a trailing dot, as are names among the ``values``.

    Names compare without regard to case, and the order of values means nothing: two records that differ in no more
    than that are equal.  ``type`` is A, AAAA, CNAME, TXT, SRV or PTR; the core itself asks for A, AAAA, CNAME and
    PTR.  ``values``, of which there is at least one, are written as in a zone file, except for TXT: there a value is
    the plain text, of any length and in any language, with nothing quoted or escaped and no control characters.  The
    provider escapes it, encodes it as UTF-8 and splits it into pieces of 255 bytes.  ``ttl`` is in seconds.

    ValueError when a record is none, so a provider never gets to see such a thing.
    """

    name: str = field(eq=str.lower, order=str.lower, validator=_name)
    type: str = field(validator=_type)
    values: tuple[str, ...] = field(eq=_sorted, order=_sorted, validator=_values)
    ttl: int = field(default=60, validator=_ttl)


@frozen(kw_only=True)
class DnsInfo:
    """``publishes``: records live in a server.

    False: names reach machines as files.  The provider is a `NodeContributor` and tells every machine the full name and
    address of every instance, and ``api.<domain>``; the other methods do nothing and list nothing.

    ``on_machines``: it does not publish, and only some machines are told all that: those that answer names.  Every
    machine is told the address of one that does.

    ``reverse_zones``: zones beside the spec's, such as ``66.10.in-addr.arpa``, in which the core asks for a PTR record
    of every instance whose address is there.
    """

    contract: int = 1
    publishes: bool = True
    on_machines: bool = False
    reverse_zones: tuple[str, ...] = ()


class Dns(Protocol):
    """The zone is the spec's ``zone``; the names the core asks for end in its ``domain``, ``<cluster>.<zone>``.

    Two clusters may share a zone, and those of two directors even a domain: what is whose is told by a mark, never by
    its name.  Deleting what is absent succeeds; other people's records are never touched, whoever made them.
    """

    def info(self) -> DnsInfo: ...

    def list_records(self) -> tuple[Record, ...]:
        """The records this provider owns for this cluster, whoever connected when they were put; nobody else's."""
        ...

    def put_record(self, record: Record) -> None:
        """Create or replace the record set of that name and type.

        Conflict when it is somebody else's, and when a CNAME would stand beside another type of the same name,
        whoever's that is.  ProviderError when the server cannot take it: another zone, a type it does not know.
        """
        ...

    def delete_record(self, name: str, type: str) -> None:
        """Delete the record set of that name and type.  Somebody else's stays as it is."""
        ...
