"""S3Place: backups in a bucket of S3, or of anything that speaks it.

Signed HTTP requests and no library: five kinds of request are needed, and none of the libraries that know more streams
an upload of unknown length within a bounded piece of memory without bringing a tree of packages along.
"""

from __future__ import annotations

import contextlib
import os
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from attrs import define, field, frozen

from kubo_sdk.backup.places import SUFFIX, Place, Stored, Writing
from kubo_sdk.backup.s3_client import S3Client
from kubo_sdk.backup.sigv4 import Account
from kubo_sdk.config.backup import bucket_and_prefix
from kubo_sdk.engine.clock import Clock
from kubo_sdk.errors import AuthError, KuboError, NotFound
from kubo_sdk.model.backup_spec import BackupSpec
from kubo_sdk.model.secret import Secret

# Every part but the last has at least 5 MiB; 10,000 of them make a backup of 80 GB.
PART_BYTES = 8 * 1024 * 1024
# What was begun longer ago than this, nobody is writing any more.
ABANDONED = timedelta(days=1)
INCOMING = "incoming/"


@frozen(kw_only=True)
class S3Place:
    """Objects below ``prefix``, which ends in a slash.  What is not read back yet lies below ``incoming/``.

    ``page``: how many are listed at once.  What was begun longer ago than ``abandoned`` and is there still, goes.
    """

    client: S3Client
    prefix: str
    page: int = 1000
    abandoned: timedelta = ABANDONED

    @property
    def name(self) -> str:
        return f"s3://{self.client.bucket}/{self.prefix}".rstrip("/")

    def list(self) -> tuple[Stored, ...]:
        found = (
            Stored(name=key.removeprefix(self.prefix).removesuffix(SUFFIX), size=int(each.findtext("Size") or 0))
            for each, key in self._objects(self.prefix)
            if key.endswith(SUFFIX)
        )
        return tuple(each for each in found if "/" not in each.name)

    @contextlib.contextmanager
    def write(self, name: str) -> Iterator[Writing]:
        self._remove_leftovers()
        writing = _Upload(client=self.client, key=f"{self.prefix}{INCOMING}{name}", final=self._key(name))
        try:
            yield writing
        finally:
            writing.discard()

    def read(self, name: str) -> Iterator[bytes]:
        try:
            yield from self.client.stream(self._key(name))
        except NotFound:
            raise NotFound(f"there is no backup {name} in {self.name}; see: kubo backups") from None

    def delete(self, name: str) -> None:
        self.client.ask("DELETE", self._key(name))

    def _key(self, name: str) -> str:
        return f"{self.prefix}{name}{SUFFIX}"

    def _objects(self, prefix: str) -> Iterator[tuple[ET.Element, str]]:
        query = {"list-type": "2", "prefix": prefix, "max-keys": str(self.page)}
        while True:
            page = self.client.ask("GET", "", query).xml()
            for each in page.findall("Contents"):
                yield each, each.findtext("Key") or ""
            following = page.findtext("NextContinuationToken")
            if not following:
                return
            query["continuation-token"] = following

    def _remove_leftovers(self) -> None:
        """What others left half done long ago.  Not worth failing for."""
        before = self.client.now() - self.abandoned
        prefix = f"{self.prefix}{INCOMING}"
        with contextlib.suppress(KuboError):
            for each, key in self._objects(prefix):
                if _at(each, "LastModified") < before:
                    self.client.ask("DELETE", key)
            uploads = self.client.ask("GET", "", {"uploads": "", "prefix": prefix}).xml()
            for each in uploads.findall("Upload"):
                if _at(each, "Initiated") < before:
                    upload = each.findtext("UploadId") or ""
                    self.client.ask("DELETE", each.findtext("Key") or "", {"uploadId": upload})


@define(kw_only=True)
class _Upload:
    """One object, sent in parts."""

    client: S3Client
    key: str
    final: str
    _id: str = ""
    _tags: list[str] = field(factory=list)
    _held: bytearray = field(factory=bytearray, repr=False)
    _is_whole: bool = False

    def write(self, data: bytes) -> None:
        if not self._id:
            answer = self.client.ask("POST", self.key, {"uploads": ""})
            self._id = answer.xml().findtext("UploadId") or ""
        self._held += data
        while len(self._held) >= PART_BYTES:
            self._send(bytes(self._held[:PART_BYTES]))
            del self._held[:PART_BYTES]

    def read_back(self) -> Iterator[bytes]:
        self._send(bytes(self._held))
        self._held.clear()
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"
            for number, tag in enumerate(self._tags, 1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        self.client.ask("POST", self.key, {"uploadId": self._id}, body)
        self._is_whole = True
        yield from self.client.stream(self.key)

    def publish(self) -> None:
        """Copied within the bucket, which shows an object whole or not at all."""
        source = quote(f"/{self.client.bucket}/{self.key}")
        self.client.ask("PUT", self.final, headers={"x-amz-copy-source": source})

    def discard(self) -> None:
        """Leave nothing below ``incoming/``."""
        with contextlib.suppress(KuboError):
            if self._is_whole:
                self.client.ask("DELETE", self.key)
            elif self._id:
                self.client.ask("DELETE", self.key, {"uploadId": self._id})

    def _send(self, part: bytes) -> None:
        query = {"partNumber": str(len(self._tags) + 1), "uploadId": self._id}
        answer = self.client.ask("PUT", self.key, query, part)
        self._tags.append({name.lower(): value for name, value in answer.headers.items()}["etag"])


def _at(element: ET.Element, name: str) -> datetime:
    return datetime.fromisoformat(element.findtext(name) or "9999-01-01T00:00:00Z")


def s3_place(
    spec: BackupSpec, prefix: str, clock: Clock, base_dir: Path, environment: Mapping[str, str] = os.environ
) -> S3Place:
    """The place that *spec* names, with the keys that *environment* holds; *prefix* is added to that of the spec."""
    bucket, above = bucket_and_prefix(spec.to)
    s3 = spec.s3
    access, secret = environment.get(s3.access_key_env, ""), environment.get(s3.secret_key_env, "")
    if not access or not secret:
        raise AuthError(f"{s3.access_key_env} and {s3.secret_key_env} must hold the access key of {spec.to}; set them")
    account = Account(
        access_key=access, secret_key=Secret(secret), session_token=Secret(environment.get(s3.session_token_env, ""))
    )
    client = S3Client(
        endpoint=s3.endpoint.rstrip("/") or f"https://s3.{s3.region}.amazonaws.com",
        region=s3.region,
        bucket=bucket,
        account=account,
        now=clock.now,
        ca_file=base_dir / s3.ca_file if s3.ca_file else None,
    )
    return S3Place(client=client, prefix=f"{above}/{prefix}/" if above else f"{prefix}/")


_: type[Place] = S3Place
