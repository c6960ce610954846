"""Whose a record set is: a TXT record beside it names the cluster and its director.  Pure.

The mark is an ordinary record, because it must be seen by whoever talks to the server, by its API and by DNS alike,
and it goes and comes in one transaction with what it marks.  It stands at a name of its own, since an alias stands
beside nothing: ``_kubo-a.host.example.com`` marks A of ``host.example.com``, and ``_kubo-any-a.apps.example.com``
that of ``*.apps.example.com``, as servers take no asterisk within a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubo_sdk.errors import Conflict, ProviderError
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.ports.dns import RECORD_TYPES
from kubo_sdk_powerdns.record_set import RecordSet, absolute, plain_text, text_content

PREFIX = "_kubo-"
_OWNER = "kubo-owner="
_TTL = 60
_LONGEST_NAME = 254  # with the trailing dot


def mark_name(name: str, type: str) -> str:
    """Where the mark of that record set stands; ProviderError when no name can say it."""
    name = absolute(name)
    wildcard, below = name.startswith("*."), name.removeprefix("*.")
    found = f"{PREFIX}any-{type.lower()}.{below}" if wildcard else f"{PREFIX}{type.lower()}.{name}"
    if "*" in below:
        raise ProviderError(f"{name} has an asterisk that is not its first label; PowerDNS takes it nowhere else")
    if name.startswith(PREFIX):
        raise ProviderError(f"{name} begins as the marks of records do; choose another name than {PREFIX}…")
    if len(found) > _LONGEST_NAME:
        raise ProviderError(f"{name} leaves no room for its mark {PREFIX}{type.lower()}; choose a shorter name")
    return found


def mark(name: str, type: str, owner: ClusterId) -> RecordSet:
    """The mark that says that *owner* has the record set of that name and type."""
    return RecordSet(name=mark_name(name, type), type="TXT", ttl=_TTL, contents=(text_content(f"{_OWNER}{owner}"),))


def owned(found: Iterable[RecordSet], owner: ClusterId) -> Iterator[RecordSet]:
    """Those of *found*, the content of a zone, that carry the mark of *owner*."""
    there = {(each.name, each.type): each for each in found}
    for each in there.values():
        if each.type in RECORD_TYPES and not each.name.startswith(PREFIX) and _markable(each):
            wished = mark(each.name, each.type, owner)
            marked = there.get((wished.name, "TXT"))
            if marked is not None and marked.contents == wished.contents:
                yield each


def check_free(wished: RecordSet, mark: RecordSet, found: Iterable[RecordSet]) -> bool:
    """Whether *wished* has its mark already.  Conflict when *found*, what stands at the two names, is in its way."""
    there = {(each.name, each.type): each for each in found}
    marked = there.get((mark.name, "TXT"))
    if marked is not None and marked.contents != mark.contents:
        raise Conflict(_taken(wished, _told(marked)))
    if marked is None and (wished.name, wished.type) in there:
        raise Conflict(_taken(wished, None))
    for each in there.values():
        if each.name == wished.name and each.type != wished.type and "CNAME" in {each.type, wished.type}:
            raise Conflict(beside(wished, each.type))
    return marked is not None


def taken(wished: RecordSet, marked: RecordSet | None, mark: RecordSet) -> str:
    """The sentence about a record set that is not ours; *marked* is what stands where its mark would."""
    return _taken(wished, _told(marked) if marked is not None and marked.contents != mark.contents else None)


def beside(wished: RecordSet, type: str) -> str:
    """The sentence about an alias that would not stand alone."""
    return (
        f"{wished.type} {wished.name} cannot stand beside {type} of the same name; "
        "an alias stands alone: delete the other one, or choose another name"
    )


def _taken(wished: RecordSet, owner: str | None) -> str:
    whose = f"belongs to {owner}" if owner else "was not made by kubo"
    return f"{wished.type} {wished.name} {whose}; choose another name, or delete that record if nobody needs it"


def _told(marked: RecordSet) -> str:
    texts = [plain_text(content) for content in marked.contents]
    owners = sorted(text.removeprefix(_OWNER) for text in texts if text.startswith(_OWNER))
    return f"the cluster {' and '.join(owners)}" if owners else f"whoever made {marked.name}"


def _markable(each: RecordSet) -> bool:
    try:
        mark_name(each.name, each.type)
    except ProviderError:
        return False
    return True
