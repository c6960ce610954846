"""Stemcell: the one that is named, or an image uploaded once for all clusters of this state directory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from kubo_sdk.errors import ConfigError, ProviderError
from kubo_sdk_boshcpi.client import Client
from kubo_sdk_boshcpi.locks import locked, read_json, write_json


@frozen(kw_only=True)
class Stemcell:
    """``cid`` is given, or ``image`` is uploaded with ``properties`` and its cid written down below ``root``."""

    cid: str
    image: Path | None
    properties: Mapping[str, Any]
    root: Path
    patience: float

    def ensure(self, client: Client) -> str:
        """The cid of the stemcell, after its upload if that is still to be done."""
        if self.cid:
            return self.cid
        if self.image is None:
            raise ConfigError(["cpi bosh: stemcell: is missing; give its cid, or the file to upload as stemcell_image"])
        record = self._record(self.image)
        with locked(self.root / ".stemcells", "the stemcells", timeout=self.patience):
            there = read_json(record)
            if there is None:
                cid = client.call("create_stemcell", str(self.image), dict(self.properties))
                if not isinstance(cid, str) or not cid:
                    raise ProviderError("create_stemcell of the BOSH CPI answers with no cid; look into its log")
                there = {"cid": cid, "image": str(self.image)}
                write_json(record, there)
        return str(there["cid"])

    def remove(self, client: Client) -> None:
        """Delete what was uploaded."""
        with locked(self.root / ".stemcells", "the stemcells", timeout=self.patience):
            for record in sorted(self.root.glob(".stemcell-*.json")):
                client.call("delete_stemcell", (read_json(record) or {})["cid"])
                record.unlink()

    def _record(self, image: Path) -> Path:
        try:
            found = image.stat()
        except OSError as error:
            raise ConfigError([f"cpi bosh: stemcell_image: {image} cannot be found ({error.strerror})"]) from error
        key = json.dumps([str(image), found.st_size, found.st_mtime_ns, self.properties], sort_keys=True)
        return self.root / f".stemcell-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
