"""Moving: brings the credentials of a cluster from one store into another, each as it is.

Authorities come first, since what they signed names them.  What is there already stays, so a copy that was cut off is
finished by the next.  The source loses nothing until every value was read back from the target.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen
from cryptography import x509

from kubo_sdk.errors import Conflict, NotFound, ProviderError, UnsafePlan
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.secret import Secret
from kubo_sdk.notes import read_notes
from kubo_sdk.pki.certificates import load_bundle
from kubo_sdk.pki.provenance import own_authority
from kubo_sdk.ports.credentials import (
    Certificate,
    Credential,
    CredentialStore,
    CredentialValue,
    Kind,
    Text,
)
from kubo_sdk.steps.credentials import keep_as_it_was, opened_below

COPY = "copy-credentials"
SHOWN = 3


@frozen(kw_only=True)
class Copied:
    """What a copy came to, by leaf name.  ``kept`` was in the target already; ``deleted`` is gone from the source."""

    written: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()


@frozen(kw_only=True)
class Move:
    """From *source* to *target*, below the path of *cluster*."""

    cluster: ClusterId
    source: CredentialStore
    target: CredentialStore

    def copy(self, *, overwrite: bool = False, delete_source: bool = False) -> Copied:
        """Bring everything over and read it back.

        Conflict, before anything is written, where the target holds other values, unless *overwrite*; UnsafePlan while
        a rotation is half done or the two are one store.  *delete_source* empties the source at the end.
        """
        found = self._in_order(self._opened(self.source))
        if not found:
            raise NotFound(
                f"the store that is copied holds nothing of cluster {self.cluster}; a copy may be done already, "
                "so go on with the other spec"
            )
        self._require_standstill()
        self._require_another_store(found)
        there = self._by_name(self.target)
        differing = [each for each in found if _key(each) in there and not is_same(each, there[_key(each)])]
        if differing and not overwrite:
            raise Conflict(
                f"the target holds other values of {self._told(differing)}; if it is not the newer one, copy with "
                "--overwrite"
            )
        missing = [each for each in found if each in differing or _key(each) not in there]
        self._write(missing, _authorities(found))
        self._verify(found)
        return Copied(
            written=self._leaves(missing),
            kept=self._leaves(each for each in found if each not in missing),
            deleted=self._delete(found) if delete_source else (),
        )

    def _write(self, missing: Sequence[Credential], authorities: Mapping[str, x509.Certificate]) -> None:
        for credential in missing:
            keep_as_it_was(self.target, credential.name, credential, authorities)

    def _verify(self, found: Sequence[Credential]) -> None:
        there = self._by_name(self.target)
        wrong = [each for each in found if _key(each) not in there or not is_same(each, there[_key(each)])]
        if wrong:
            raise ProviderError(
                f"the target gives back something else than was stored for {self._told(wrong)}; "
                "the source is as it was, so go on with it"
            )

    def _delete(self, found: Sequence[Credential]) -> tuple[str, ...]:
        """What authorities signed goes before them."""
        for credential in reversed(found):
            self.source.delete(credential.name)
        return self._leaves(found)

    def _require_standstill(self) -> None:
        rotating = [leaf for leaf, _ in read_notes(self.source, self.cluster).rotating]
        if rotating:
            raise UnsafePlan(
                f"the rotation of {', '.join(rotating)} is half done, and a copy holds one version of each; "
                "finish it (kubo rotate) or take it back (kubo rotate --undo), then copy"
            )

    def _require_another_store(self, found: Sequence[Credential]) -> None:
        """A value that is put into the target for a moment must not show in the source."""
        if len(found) == 0:
            return
        probe = self.cluster.credential(f"copy-{uuid.uuid4().hex[:12]}")
        self.target.put(probe, Kind.VALUE, Text(text=Secret("of a copy that was cut off; may be deleted")))
        try:
            if any(summary.name == probe for summary in self.source.find(self._path)):
                raise UnsafePlan("both specs name the same credential store, so there is nothing to copy")
        finally:
            self.target.delete(probe)

    @property
    def _path(self) -> str:
        return self.cluster.credential("").rstrip("/")

    def _opened(self, store: CredentialStore) -> tuple[Credential, ...]:
        return tuple(each for each in opened_below(store, self._path) if not self._leaf(each).startswith("copy-"))

    def _by_name(self, store: CredentialStore) -> dict[str, Credential]:
        return {_key(each): each for each in self._opened(store)}

    @staticmethod
    def _in_order(found: Sequence[Credential]) -> tuple[Credential, ...]:
        return tuple(sorted(found, key=lambda each: (own_authority(each.name, each.value) is None, each.name)))

    def _leaf(self, credential: Credential) -> str:
        return credential.name[len(self._path) + 1 :]

    def _leaves(self, found: Iterable[Credential]) -> tuple[str, ...]:
        return tuple(self._leaf(each) for each in found)

    def _told(self, found: Sequence[Credential]) -> str:
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        return ", ".join(self._leaves(found[:SHOWN])) + more


def is_same(one: Credential, other: Credential) -> bool:
    """Whether two stores hold the same: texts to the letter, JSON by what it says, authorities as a set.  Pure."""
    if one.kind is not other.kind:
        return False
    return _plain(one.kind, one.value) == _plain(other.kind, other.value)


def _plain(kind: Kind, value: CredentialValue) -> object:
    if isinstance(value, Text) and kind is Kind.JSON:
        return json.loads(value.text.reveal_bytes())
    if isinstance(value, Certificate):
        trusted = frozenset(load_bundle(value.ca, "a CA")) if value.ca.strip() else frozenset()
        return value.certificate, value.private_key, trusted
    return value


def _authorities(found: Sequence[Credential]) -> dict[str, x509.Certificate]:
    return {each.name: own for each in found if (own := own_authority(each.name, each.value)) is not None}


def _key(credential: Credential) -> str:
    return credential.name.lower()
