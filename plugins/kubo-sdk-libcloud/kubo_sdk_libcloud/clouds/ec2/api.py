"""Api: one request to EC2, or a list of all pages, through the driver of the calling thread.

A question that is turned down is asked again here, for a while and less and less often.  A change is not: whoever asks
for it must look first what became of it, and says to the step that wants it when to come back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar
from xml.etree.ElementTree import Element

from attrs import field, frozen

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Unavailable
from kubo_sdk_libcloud.clouds.drivers import PerThread
from kubo_sdk_libcloud.clouds.ec2.driver import Driver
from kubo_sdk_libcloud.clouds.ec2.faults import TROUBLE, asking
from kubo_sdk_libcloud.clouds.ec2.patience import AGAIN_SECONDS, patiently

T = TypeVar("T")

PAGE = 500

Value = str | int | bool | None


@frozen(kw_only=True)
class Api:
    """``where`` opens every message: ``EC2 in us-east-1``.  ``patience``: seconds for which questions are repeated."""

    drivers: PerThread[Driver] = field(repr=False)
    where: str
    patience: float = AGAIN_SECONDS

    def call(self, what: str, action: str, params: Mapping[str, Value] | None = None) -> Element:
        """The answer to one request, without name spaces.  *what* says for messages what it is for."""
        if not action.startswith("Describe"):
            return self._once(what, action, params)
        return patiently(lambda: self._once(what, action, params), what, self.patience)

    def seen(self, look: Callable[[], T | None], what: str, seconds: float) -> T | None:
        """What *look* finds within *seconds*, for what was just made may not show yet; None when it is not there.

        Unavailable when the last look was not answered: then nobody knows.
        """
        was_told = False

        def found() -> T | None:
            nonlocal was_told
            was_told = False
            answer = look()
            was_told = True
            return answer

        try:
            return wait_until(found, what=f"{self.where}: {what}", timeout=seconds)
        except Unavailable as error:
            if was_told:
                return None
            raise Unavailable(str(error), retry_after=TROUBLE) from error

    def _once(self, what: str, action: str, params: Mapping[str, Value] | None) -> Element:
        given = {name: value for name, value in (params or {}).items() if value is not None}
        with asking(f"{self.where}: {what}"):
            found: Element = self.drivers.get().connection.request("/", {"Action": action, **given}).object
            return found

    def pages(self, what: str, action: str, params: Mapping[str, Value], path: str) -> Iterator[Element]:
        """Every element at *path*, of however many pages.  Not for lists by id, which EC2 does not page."""
        token: str | None = None
        while True:
            answer = self.call(what, action, {**params, "MaxResults": PAGE, "NextToken": token})
            yield from answer.findall(path)
            token = answer.findtext("nextToken") or None
            if token is None:
                return


def filters(wanted: Mapping[str, str]) -> dict[str, Value]:
    """Filters of a list: ``{"tag:kubo-cluster": "demo"}``.  EC2's patterns are escaped."""
    found: dict[str, Value] = {}
    for number, (name, value) in enumerate(wanted.items(), 1):
        found[f"Filter.{number}.Name"] = name
        found[f"Filter.{number}.Value.1"] = value.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")
    return found


def tag_filters(tags: Mapping[str, str]) -> dict[str, str]:
    return {f"tag:{name}": value for name, value in tags.items()}


def tag_specification(kind: str, tags: Mapping[str, str], number: int = 1) -> dict[str, Value]:
    """Tags that a new resource of that *kind* gets together with its creation."""
    start = f"TagSpecification.{number}"
    found: dict[str, Value] = {f"{start}.ResourceType": kind}
    for each, (name, value) in enumerate(tags.items(), 1):
        found[f"{start}.Tag.{each}.Key"] = name
        found[f"{start}.Tag.{each}.Value"] = value
    return found


def tags_of(element: Element) -> dict[str, str]:
    """The tags of a described resource."""
    return {tag.findtext("key") or "": tag.findtext("value") or "" for tag in element.findall("tagSet/item")}
