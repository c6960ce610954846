"""PowerdnsConfig: the options of the DNS provider ``powerdns``."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import Attribute, field, frozen

_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224", "hmac-sha1")


def _is_url(_: Any, __: Attribute[Any], value: str) -> None:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{value!r} is no address of an API; write it like https://ns1.example.com:8081")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("it must hold scheme, host, port and path and nothing else; the key comes by key_file")


def _is_port(_: Any, __: Any, value: int) -> None:
    if not 1 <= value <= 65535:
        raise ValueError(f"{value} is no port; use a number from 1 to 65535")


def _is_host(_: Any, __: Any, value: str) -> None:
    try:
        ip_address(value)
    except ValueError:
        if not _HOST.fullmatch(value):
            raise ValueError(f"{value!r} is neither an address nor the name of a host") from None


def _is_algorithm(_: Any, __: Attribute[Any], value: str) -> None:
    if value not in ALGORITHMS:
        raise ValueError(f"{value!r} is no algorithm of TSIG here; use one of {', '.join(ALGORITHMS)}")


def _are_servers(_: Any, __: Attribute[Any], value: tuple[str, ...]) -> None:
    for text in value:
        host, port = split_server(text)
        _is_host(None, None, host)
        _is_port(None, None, port)


def _are_reverse(_: Any, __: Attribute[Any], value: tuple[str, ...]) -> None:
    for name in value:
        if not _HOST.fullmatch(name) or not name.lower().endswith((".in-addr.arpa", ".ip6.arpa")):
            raise ValueError(f"{name!r} is no reverse zone; write it like 66.10.in-addr.arpa, without a dot at its end")


def _are_hosts(_: Any, __: Attribute[Any], value: tuple[str, ...]) -> None:
    for name in value:
        _is_host(None, None, name)


def _is_time(_: Any, __: Attribute[Any], value: float) -> None:
    if value <= 0:
        raise ValueError(f"{value:g} is no time to wait; use more than 0 seconds")


def split_server(text: str) -> tuple[str, int]:
    """Host and port of ``192.0.2.1``, ``ns1.example.com:5353`` or ``[2001:db8::1]:5353``; the port is 53 by default."""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        host, port = text.split(":")
    else:
        host, port = text, ""
    if port and not port.isdecimal():
        raise ValueError(f"{text!r} is no server; write it like 192.0.2.1 or 192.0.2.1:53")
    return host, int(port or 53)


def _one_source(file: Path | None, variable: str) -> None:
    if (file is None) == (not variable):
        raise ValueError("it must have either key_file or key_env; a secret never stands in the spec itself")


def _are_elsewhere(_: Any, __: Attribute[Any], value: tuple[IPv4Address, ...]) -> None:
    for address in value:
        if address.is_loopback or address.is_unspecified or address.is_multicast:
            raise ValueError(f"{address} is no resolver that another machine could ask")


@frozen(kw_only=True)
class ApiOptions:
    """The HTTP API of a server: where it is, and where its key comes from.

    ``zone_nameservers`` become the NS records of a zone that has to be made.
    """

    url: str = field(validator=_is_url)
    key_file: Path | None = None
    key_env: str = ""
    ca_file: Path | None = None
    server_id: str = "localhost"
    zone_nameservers: tuple[str, ...] = field(default=(), validator=_are_hosts)

    def __attrs_post_init__(self) -> None:
        _one_source(self.key_file, self.key_env)
        if self.ca_file is not None and not self.url.startswith("https:"):
            raise ValueError("ca_file says whom to trust with https; leave it out, or write https in url")


@frozen(kw_only=True)
class UpdateOptions:
    """Dynamic updates (RFC 2136), signed with a TSIG key."""

    server: str = field(validator=_is_host)
    key_name: str = field(validator=_is_host)
    port: int = field(default=53, validator=_is_port)
    algorithm: str = field(default="hmac-sha256", validator=_is_algorithm)
    key_file: Path | None = None
    key_env: str = ""

    def __attrs_post_init__(self) -> None:
        _one_source(self.key_file, self.key_env)


@frozen(kw_only=True)
class PowerdnsConfig:
    """``api`` or ``update`` names a server that is there already; with neither, the cluster runs its own.

    Of such a server: ``reverse_zones`` get PTR records.  Each of ``name_servers`` must serve a record within
    ``serve_timeout`` seconds; by default that is port 53 of the API's host, or the server of the updates.

    Of the cluster's own: it runs on the machines of ``group``, by default on the proxies, and asks the resolvers
    ``forward`` for names outside the cluster; without any, these are refused.
    """

    api: ApiOptions | None = None
    update: UpdateOptions | None = None
    reverse_zones: tuple[str, ...] = field(default=(), validator=_are_reverse)
    name_servers: tuple[str, ...] = field(default=(), validator=_are_servers)
    serve_timeout: float = field(default=60.0, validator=_is_time)
    group: str = ""
    forward: tuple[IPv4Address, ...] = field(default=(), validator=_are_elsewhere)

    @property
    def managed(self) -> bool:
        """Whether the cluster's own machines run PowerDNS."""
        return self.api is None and self.update is None

    def __attrs_post_init__(self) -> None:
        if self.api is not None and self.update is not None:
            raise ValueError("api and update are two ways to the same server; leave one of them out")
        if self.managed and (self.reverse_zones or self.name_servers):
            raise ValueError("reverse_zones and name_servers belong to a server that is there already; leave them out")
        if not self.managed and (self.group or self.forward):
            raise ValueError("group and forward belong to a server that the cluster runs itself; leave them out")
