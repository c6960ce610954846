"""Kubernetes objects as the fake API servers keep them: by collection and name, with versions and a log of changes."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import define, field, frozen

Object = dict[str, Any]

FIRST_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
KEPT_CHANGES = 1000


@frozen(kw_only=True)
class Place:
    """Where objects lie: ``/api/v1`` or ``/apis/<group>/<version>``, a namespace or nothing, and the plural."""

    root: str
    plural: str
    namespace: str = ""


@define(eq=False)
class Stored:
    """One object, and its JSON once somebody asked for it."""

    item: Object
    _text: bytes | None = None

    @property
    def text(self) -> bytes:
        if self._text is None:
            self._text = json.dumps(self.item).encode()
        return self._text


@define(eq=False)
class ObjectStore:
    """What etcd holds for the API servers.  Who changes it holds the cloud's lock."""

    version: int = 1
    _places: dict[Place, dict[str, Stored]] = field(factory=dict, repr=False)
    _changes: list[tuple[int, str, Place, Stored]] = field(factory=list, repr=False)
    changed: threading.Condition = field(factory=threading.Condition, repr=False)

    def __attrs_post_init__(self) -> None:
        for name in FIRST_NAMESPACES:
            self.write(
                Place(root="/api/v1", plural="namespaces"),
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
            )

    def get(self, place: Place, name: str) -> Stored | None:
        return self._places.get(place, {}).get(name)

    def find(self, root: str, plural: str, namespace: str = "") -> Iterator[Stored]:
        """The objects of a collection, in every namespace when none is given."""
        if namespace:
            yield from tuple(self._places.get(Place(root=root, plural=plural, namespace=namespace), {}).values())
            return
        for place, held in tuple(self._places.items()):
            if (place.root, place.plural) == (root, plural):
                yield from tuple(held.values())

    def write(self, place: Place, item: Object) -> Stored:
        """Store *item* as the newest version of itself."""
        self.version += 1
        metadata = item["metadata"]
        if place.namespace:
            metadata["namespace"] = place.namespace
        metadata.setdefault("uid", str(uuid.uuid4()))
        metadata["resourceVersion"] = str(self.version)
        held = self._places.setdefault(place, {})
        kind = "MODIFIED" if metadata["name"] in held else "ADDED"
        stored = held[metadata["name"]] = Stored(item)
        self._tell(kind, place, stored)
        return stored

    def remove(self, place: Place, name: str) -> Stored | None:
        stored = self._places.get(place, {}).pop(name, None)
        if stored is not None:
            self.version += 1
            self._tell("DELETED", place, stored)
        return stored

    def places(self) -> Mapping[Place, Mapping[str, Stored]]:
        """Everything, by its place and name."""
        return self._places

    def replace(self, places: dict[Place, dict[str, Stored]], version: int) -> None:
        """Hold exactly this, with the log of changes forgotten."""
        self._places, self.version = places, version
        self._changes.clear()

    def since(self, version: int) -> list[tuple[int, str, Place, Stored]]:
        """The changes after *version*, oldest first."""
        return [change for change in tuple(self._changes) if change[0] > version]

    def _tell(self, kind: str, place: Place, stored: Stored) -> None:
        self._changes.append((self.version, kind, place, stored))
        if len(self._changes) > 2 * KEPT_CHANGES:
            del self._changes[:KEPT_CHANGES]
        with self.changed:
            self.changed.notify_all()


def merged(old: Any, patch: Any, *, nulls_delete: bool) -> Any:
    """*old* with what *patch* says: mappings are merged, everything else is replaced."""
    if not isinstance(old, Mapping) or not isinstance(patch, Mapping):
        return patch
    result = dict(old)
    for name, value in patch.items():
        if value is None and nulls_delete:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value, nulls_delete=nulls_delete)
    return result


def selector(text: str) -> Callable[[Object], bool]:
    """Whether an object's labels match a label selector of equalities and names."""
    terms = [term.strip() for term in text.split(",") if term.strip()]
    equal = [term.replace("==", "=").split("=", 1) for term in terms if "=" in term and "!=" not in term]
    others = [term for term in terms if "=" not in term or "!=" in term]

    def matches(item: Object) -> bool:
        labels = item["metadata"].get("labels") or {}
        for name, value in equal:
            if labels.get(name) != value:
                return False
        return not others or all(_term(term, labels) for term in others)

    return matches


def _term(term: str, labels: Mapping[str, str]) -> bool:
    if "!=" in term:
        name, _, value = term.partition("!=")
        return labels.get(name.strip()) != value.strip()
    return term.lstrip("!") not in labels if term.startswith("!") else term in labels


def field_selector(text: str) -> Callable[[Object], bool]:
    """Whether an object's fields equal those named, as in ``spec.nodeName=10.0.0.1``."""
    terms = [term.partition("=")[::2] for term in text.split(",") if term]

    def matches(item: Object) -> bool:
        return all(_field(item, path) == value for path, value in terms)

    return matches


def _field(item: Any, path: str) -> Any:
    for part in path.split("."):
        item = item.get(part, "") if isinstance(item, Mapping) else ""
    return item
