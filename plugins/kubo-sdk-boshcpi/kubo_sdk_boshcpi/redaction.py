"""Redactor: takes secrets out of what a CPI logs and says."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from attrs import field, frozen

MASK = "<redacted>"
SHORTEST_LINE = 8

_SECRET_KEY = r"[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|credential|private_?key|access_?key|api_?key)[\w.-]*"
_PATTERNS = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MASK),
    (re.compile(r"(\w://[^/\s:@]*:)[^/\s@]+@"), rf"\1{MASK}@"),
    (re.compile(r"((?i:authorization)\W+(?i:basic|bearer)\s+)[^\s\"',]+"), rf"\1{MASK}"),
    # JSON, Ruby hashes and name=value: "password": "x", :password=>"x", password=x.
    (re.compile(rf"(?i)({_SECRET_KEY}\\*[\"']?\s*(?:=>|:|=)\s*)(\\*[\"'])(?:(?!\2).)*\2"), rf"\1\2{MASK}\2"),
    (re.compile(rf"(?i)({_SECRET_KEY}\\*[\"']?\s*(?:=>|:|=)\s*)(?![\"'\\<\s])[^\s,;&}}\"']+"), rf"\1{MASK}"),
)
_KEY = re.compile(_SECRET_KEY, re.IGNORECASE)


@frozen
class Redactor:
    """Knows the secrets by value, and by what surrounds them where they are not known."""

    values: tuple[str, ...] = field(default=(), repr=False)

    def knowing(self, values: Iterable[str]) -> Redactor:
        """A redactor that knows *values* as well."""
        return Redactor((*self.values, *values))

    def text(self, text: str) -> str:
        """*text* without secrets."""
        for form in sorted({form for value in self.values for form in _forms(value)}, key=len, reverse=True):
            text = text.replace(form, MASK)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


def _forms(value: str) -> Iterable[str]:
    """The ways a secret is written: as it is, in JSON, in a URL, in base64, and line by line."""
    if not value:
        return
    yield value
    yield json.dumps(value)[1:-1]
    yield quote(value, safe="")
    if len(value) >= SHORTEST_LINE:
        yield base64.b64encode(value.encode()).decode()
    yield from (line for line in value.splitlines() if len(line) >= SHORTEST_LINE)


def sensitive(content: Any, *, key: str = "") -> Iterable[str]:
    """Every text of *content* that stands below a key which sounds secret."""
    if isinstance(content, Mapping):
        for name, value in content.items():
            yield from sensitive(value, key=key if _KEY.search(key) else str(name))
    elif isinstance(content, list | tuple):
        for value in content:
            yield from sensitive(value, key=key)
    elif isinstance(content, str) and _KEY.search(key):
        yield content
