"""libcloud's EC2 driver, corrected in one place.

* It signs with version 2 by default, which newer regions and API-compatible clouds refuse: version 4 is asked for.
* It sends everything in the address of a GET, where proxies and debug logs keep it.  User data holds a host key, so
  everything goes into the body of a POST.
* It knows one XML name space; clouds answer with others, and errors have one too: name spaces are taken off.
* It numbers some lists (`ResourceId.0`) from 0: they are moved to begin with 1.
* It refuses regions that came after it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from libcloud.common.types import MalformedResponseError
from libcloud.compute.drivers import ec2

from kubo_sdk.model.secret import Secret
from kubo_sdk_libcloud.clouds.ec2.config import Ec2Config
from kubo_sdk_libcloud.clouds.ec2.faults import Refusal
from kubo_sdk_libcloud.clouds.transport import connection_class

REQUEST_SECONDS = 60.0
_NAME_SPACE = re.compile(r'\sxmlns="[^"]*"')
_NUMBER = re.compile(r"\.(\d+)(?=\.|$)")


class Response(ec2.EC2Response):  # type: ignore[misc]
    """Answers without name spaces; a refusal raises `Refusal` with its code."""

    def parse_body(self) -> Any:
        if not self.body:
            return None
        try:
            return ET.fromstring(_NAME_SPACE.sub("", self.body))  # noqa: S314 - answers of the API that was asked
        except ET.ParseError:
            raise MalformedResponseError("no XML", body=self.body[:200], driver=self.connection.driver) from None

    def parse_error(self) -> Any:
        raise Refusal.read(int(self.status), _NAME_SPACE.sub("", self.body or ""))


class Connection(ec2.EC2Connection):  # type: ignore[misc]
    """Posts what libcloud would put into the address."""

    responseCls = Response  # noqa: N815 - libcloud's name

    def request(self, action: str, params: Mapping[str, Any] | None = None, **_options: Any) -> Any:
        body = urlencode({"Version": self.version, **one_based(params or {})})
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        return super().request(action, params={}, data=body, headers=headers, method="POST")


def one_based(params: Mapping[str, Any]) -> dict[str, str]:
    """The parameters with every list that begins at 0 moved to begin at 1."""
    zero = {name[: match.start()] for name in params for match in _NUMBER.finditer(name) if match[1] == "0"}

    def moved(name: str) -> str:
        def number(match: re.Match[str]) -> str:
            return f".{int(match[1]) + (name[: match.start()] in zero)}"

        return _NUMBER.sub(number, name)

    return {moved(name): _text(value) for name, value in params.items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Driver(ec2.EC2NodeDriver):  # type: ignore[misc]
    """One for each thread."""

    connectionCls = Connection  # noqa: N815 - libcloud's name


def driver(config: Ec2Config, keys: tuple[Secret, Secret, Secret | None], ca_file: Path | None) -> Driver:
    """A driver of the calling thread's own.  *keys*: the access key, its secret, and the session's token."""
    access, secret, token = (key.reveal() if key is not None else None for key in keys)
    known = config.region if config.region in Driver.list_regions() else "us-east-1"
    made = Driver(
        access,
        secret,
        region=known,
        token=token,
        signature_version="4",
        secure=config.secure,
        host=config.host or f"ec2.{config.region}.amazonaws.com{'.cn' if config.region.startswith('cn-') else ''}",
        port=config.port or (443 if config.secure else 80),
        timeout=REQUEST_SECONDS,
    )
    made.region_name = config.region
    made.connection.conn_class = connection_class(ca_file)
    return made
