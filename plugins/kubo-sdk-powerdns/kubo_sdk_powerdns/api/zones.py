"""Zones of a server: made where they are missing, and looked at before anything is written."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from kubo_sdk.errors import Conflict, ProviderError
from kubo_sdk_powerdns.api.client import ApiClient

_DELEGATION = ("NS", "DS")  # of a parent zone; a zone of that name hides nothing by standing beside them
_SECONDARY = ("slave", "secondary", "consumer")
_SOA_TTL = 3600
_SOA_TIMES = "0 10800 3600 604800 3600"  # serial (the server counts it up), refresh, retry, expire, negative answers


@frozen(kw_only=True)
class NewZones:
    """What a zone gets that has to be made: its name servers, and ``addresses`` of the first if that is within it."""

    name_servers: tuple[str, ...]
    addresses: tuple[str, ...] = ()


def path_of(zone: str) -> str:
    """Where the API has *zone*, an absolute name."""
    return f"/zones/{zone}"


def check_zone(client: ApiClient, found: dict[str, Any]) -> None:
    """ProviderError when *found* is not written here; makes its serial move with every change of ours."""
    name = str(found["name"])
    if str(found.get("kind", "")).lower() in _SECONDARY:
        primaries = ", ".join(found.get("masters") or ()) or "another server"
        raise ProviderError(
            f"{client} is only secondary for zone {name}, which it copies from {primaries}; "
            "set url to the API of the primary"
        )
    if not found.get("soa_edit_api"):
        # Zones made by pdnsutil before 5.0 have none, and then secondaries never hear of a change.
        client.call("PUT", path_of(name), {"soa_edit_api": "DEFAULT"})


def make_zone(client: ApiClient, zone: str, new: NewZones) -> None:
    """Make *zone*; another process may have been faster.  ProviderError when it would hide records of a zone above."""
    _check_hidden(client, zone)
    main = new.name_servers[0]
    address_sets = [
        _set(main, kind, [each for each in new.addresses if (":" in each) == (kind == "AAAA")])
        for kind in ("A", "AAAA")
        if main.endswith(f".{zone}")
    ]
    content = {
        "name": zone,
        "kind": "Native",
        "nameservers": list(new.name_servers),
        "soa_edit_api": "DEFAULT",
        "api_rectify": True,
        "rrsets": [
            _set(zone, "SOA", [f"{main} hostmaster.{zone} {_SOA_TIMES}"]),
            *(each for each in address_sets if each["records"]),
        ],
    }
    try:
        client.call("POST", "/zones?rrsets=false", content)
    except Conflict:
        return


def _set(name: str, type: str, contents: list[str]) -> dict[str, Any]:
    records = [{"content": content, "disabled": False} for content in contents]
    return {"name": name, "type": type, "ttl": _SOA_TTL, "records": records}


def _check_hidden(client: ApiClient, zone: str) -> None:
    labels = zone.rstrip(".").split(".")
    for start in range(1, len(labels)):
        above = ".".join(labels[start:]) + "."
        if not client.get(f"/zones?zone={above}&dnssec=false"):
            continue
        hidden = sorted({each["name"] for each in client.get(path_of(above))["rrsets"] if _is_hidden(each, zone)})
        if hidden:
            raise ProviderError(
                f"{client} has no zone {zone}, and making it would hide {hidden[0]} and whatever else zone {above} has "
                "below that name; make the zone yourself, or choose another one"
            )
        return


def _is_hidden(rrset: dict[str, Any], zone: str) -> bool:
    name = str(rrset["name"]).lower()
    return name.endswith(f".{zone}") or (name == zone and rrset["type"] not in _DELEGATION)
