"""Connects the provider to a server of the lab as a spec's options would, and talks to that server past it."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
from attrs import evolve, frozen

from kubo_sdk.config.structure import structure
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.dns import Dns
from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk_powerdns.config import PowerdnsConfig
from kubo_sdk_powerdns.plugin import _connect

from .server import API_KEY, PdnsServer

REVERSE = "66.10.in-addr.arpa"
TSIG_NAME = "kubo-updates"
TSIG_SECRET = base64.b64encode(b"a secret that two of them share.").decode()


@frozen(kw_only=True)
class PdnsSite:
    """A server, the files with the secrets for it, and the zone."""

    server: PdnsServer
    directory: Path
    zone: str
    tsig_secret: str

    @classmethod
    def make(cls, server: PdnsServer, directory: Path, zone: str) -> PdnsSite:
        directory.mkdir(parents=True, exist_ok=True)
        site = cls(server=server, directory=directory, zone=zone, tsig_secret=TSIG_SECRET)
        (directory / "api.key").write_text(f"{API_KEY}\n", encoding="utf-8")
        (directory / "tsig.key").write_text(f"{site.tsig_secret}\n", encoding="utf-8")
        return site

    def api_options(self, **changes: Any) -> dict[str, Any]:
        return {"url": self.server.url, "key_file": str(self.directory / "api.key"), **changes}

    def update_options(self, **changes: Any) -> dict[str, Any]:
        return {
            "server": "127.0.0.1",
            "port": self.server.port,
            "key_name": TSIG_NAME,
            "key_file": str(self.directory / "tsig.key"),
            **changes,
        }

    def by_api(self, **changes: Any) -> dict[str, Any]:
        """The whole options of the provider."""
        return {"name_servers": [f"127.0.0.1:{self.server.port}"], "api": self.api_options(**changes)}

    def by_update(self, **changes: Any) -> dict[str, Any]:
        return {"update": self.update_options(**changes)}

    def connect(self, spec: ClusterSpec, options: Mapping[str, Any]) -> Dns:
        config, problems = structure(PowerdnsConfig, options, "dns")
        assert config is not None, problems
        context = ConnectContext(
            spec=evolve(spec, zone=self.zone),
            state_dir=self.directory,
            cache_dir=self.directory,
            base_dir=self.directory,
        )
        return _connect(config, context)

    def call(self, method: str, path: str, content: Any = None) -> Any:
        """The API, past the provider: (status, JSON or None)."""
        body = None if content is None else json.dumps(content).encode()
        headers = {"X-API-Key": API_KEY, "Accept": "application/json"}
        request = urllib.request.Request(
            f"{self.server.url}/api/v1/servers/localhost{path}", data=body, headers=headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                read = answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}") from None
        return json.loads(read) if read else None

    def make_zone(self, zone: str | None = None, **settings: Any) -> None:
        name = f"{zone or self.zone}."
        content = {"name": name, "kind": "Native", "nameservers": ["ns.example.net."], "soa_edit_api": "DEFAULT"}
        self.call("POST", "/zones", {**content, **settings})

    def drop_zone(self, zone: str | None = None) -> None:
        self.call("DELETE", f"/zones/{zone or self.zone}.")

    def allow_updates(self, zone: str | None = None) -> None:
        """Give the TSIG key the least it needs: updating the zone, and reading it."""
        name = f"{zone or self.zone}."
        if not any(key["name"] == TSIG_NAME for key in self.call("GET", "/tsigkeys")):
            key = {"name": TSIG_NAME, "algorithm": "hmac-sha256", "key": self.tsig_secret}
            self.call("POST", "/tsigkeys", key)
        self.call("PUT", f"/zones/{name}", {"master_tsig_key_ids": [f"{TSIG_NAME}."]})
        allowed = {"kind": "TSIG-ALLOW-DNSUPDATE", "metadata": [TSIG_NAME]}
        self.call("POST", f"/zones/{name}/metadata", allowed)

    def replace(
        self, name: str, type: str, *contents: str, ttl: int = 300, zone: str | None = None, **more: Any
    ) -> None:
        """What a person does by hand; no contents delete."""
        records = [{"content": content, "disabled": False} for content in contents]
        change = {"name": f"{name}.", "type": type, "ttl": ttl, "changetype": "REPLACE", "records": records, **more}
        self.call("PATCH", f"/zones/{zone or self.zone}.", {"rrsets": [change]})

    def rrsets(self, zone: str | None = None) -> dict[tuple[str, str], Any]:
        """Everything in the zone but its SOA, by name and type."""
        found = self.call("GET", f"/zones/{zone or self.zone}.")["rrsets"]
        return {(each["name"].rstrip("."), each["type"]): each for each in found if each["type"] != "SOA"}

    def serial(self, zone: str | None = None) -> int:
        answer = self.ask(zone or self.zone, "SOA")
        return int(answer.answer[0][0].serial)

    def ask(self, name: str, type: str) -> dns.message.Message:
        """The server's own answer."""
        query = dns.message.make_query(f"{name}.", type)
        return dns.query.tcp(query, "127.0.0.1", port=self.server.port, timeout=10)

    def answers(self, name: str, type: str) -> list[str]:
        answer = self.ask(name, type)
        wanted = dns.rdatatype.from_text(type)
        return sorted(rdata.to_text() for each in answer.answer if each.rdtype == wanted for rdata in each)
