"""RecordSet: a record set as zone files write it, and the way from and to the port's `Record`."""

from __future__ import annotations

from collections.abc import Iterable

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from attrs import field, frozen
from dns.rdtypes.ANY.TXT import TXT

from kubo_sdk.errors import ProviderError
from kubo_sdk.ports.dns import RECORD_TYPES, Record

LONGEST_STRING = 255  # bytes in one string of a TXT record
LONGEST_TEXT = 60_000  # bytes: a whole answer has 65,535, the lengths of its strings and its other records included
UNREADABLE = "unreadable.invalid"
_WITH_TARGET = ("CNAME", "PTR", "SRV")


def absolute(name: str) -> str:
    """*name* in lower case with the trailing dot: as servers compare names."""
    return name.lower().rstrip(".") + "."


def _sorted(contents: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(contents)))


@frozen(kw_only=True, order=True)
class RecordSet:
    """``name`` is absolute and in lower case; ``contents`` are canonical, sorted, without doubles.

    ``served``: false where every record of it is disabled in the database.
    """

    name: str
    type: str
    ttl: int
    contents: tuple[str, ...] = field(converter=_sorted)
    served: bool = True


def canonical(type: str, content: str) -> str:
    """*content* as dnspython writes it, whichever way a server spelt it; unknown types stay as they are."""
    try:
        return dns.rdata.from_text(
            dns.rdataclass.IN, dns.rdatatype.from_text(type), content, relativize=False
        ).to_text()
    except (dns.exception.DNSException, ValueError):
        return content


def record_set(record: Record) -> RecordSet:
    """*record* for the server; ProviderError when a text is longer than any answer can be."""
    contents = tuple(_content(record, value) for value in record.values)
    return RecordSet(name=absolute(record.name), type=record.type, ttl=record.ttl, contents=contents)


def record(found: RecordSet) -> Record | None:
    """*found* as the port tells it, or None for a type that the port does not know."""
    if found.type not in RECORD_TYPES:
        return None
    values = tuple(_value(found.type, content) for content in found.contents)
    try:
        return Record(name=found.name.rstrip("."), type=found.type, values=values, ttl=found.ttl)
    except ValueError:  # somebody changed it into what no Record can say; as something else it is put right, or deleted
        value = f"0 0 0 {UNREADABLE}" if found.type == "SRV" else UNREADABLE
        return Record(name=found.name.rstrip("."), type=found.type, values=(value,), ttl=found.ttl)


def text_content(text: str) -> str:
    """A plain text as the content of a TXT record: UTF-8, quoted, in strings of at most 255 bytes."""
    encoded = text.encode()
    pieces = [encoded[start : start + LONGEST_STRING] for start in range(0, len(encoded), LONGEST_STRING)]
    return TXT(dns.rdataclass.IN, dns.rdatatype.TXT, pieces or [b""]).to_text()


def plain_text(content: str) -> str:
    """The plain text of a TXT record's content."""
    rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.TXT, content)
    assert isinstance(rdata, TXT)
    text = b"".join(rdata.strings).decode(errors="replace")
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _content(record: Record, value: str) -> str:
    if record.type == "TXT":
        if len(value.encode()) > LONGEST_TEXT:
            raise ProviderError(
                f"TXT {record.name} has {len(value.encode())} bytes; no answer holds more than {LONGEST_TEXT}"
            )
        return text_content(value)
    if record.type in _WITH_TARGET:
        value = value.rstrip(".") + "."
    return canonical(record.type, value)


def _value(type: str, content: str) -> str:
    if type == "TXT":
        return plain_text(content)
    if type in _WITH_TARGET and not content.endswith(" ."):
        return content.rstrip(".")
    return content
