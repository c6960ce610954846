"""LoginKeys: the key pair by which directors log in to the machines of a cluster."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

from attrs import field, frozen

from kubo_sdk.errors import NotFound
from kubo_sdk.model.instance import ClusterId
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.credentials import CredentialStore, KeyPair, Mode, SshParameters
from kubo_sdk.private_files import make_private_directory
from kubo_sdk.ssh import new_key_pair

LEAF = "ssh"


@frozen(kw_only=True)
class LoginKeys:
    """In the credential store of the spec; where there is none, in an owner-only file below ``directory``."""

    store: CredentialStore | None
    directory: Path
    _known: dict[ClusterId, Secret] = field(factory=dict, repr=False, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, repr=False, init=False, eq=False)

    def ensure(self, cluster: ClusterId) -> Secret:
        """The private key, made when there is none."""
        with self._lock:
            if cluster not in self._known:
                self._known[cluster] = self._stored(cluster) if self.store is not None else self._filed(cluster)
            return self._known[cluster]

    def get(self, cluster: ClusterId) -> Secret:
        """The private key; NotFound when it was never made."""
        with self._lock:
            if cluster not in self._known:
                self._known[cluster] = self._read(cluster)
            return self._known[cluster]

    def forget(self, cluster: ClusterId) -> None:
        """Remove the file; the credential goes with the others of the cluster."""
        with self._lock:
            self._known.pop(cluster, None)
            path = self._path(cluster)
            path.unlink(missing_ok=True)
            with suppress(OSError):
                path.parent.rmdir()
                path.parent.parent.rmdir()

    def _stored(self, cluster: ClusterId) -> Secret:
        assert self.store is not None
        parameters = SshParameters(comment=f"{cluster}")
        return _private(self.store.generate(cluster.credential(LEAF), parameters, Mode.NO_OVERWRITE).value)

    def _filed(self, cluster: ClusterId) -> Secret:
        """Written beside and linked into its place, so that two that come at once end up with the same."""
        path = self._path(cluster)
        make_private_directory(path.parent)
        if not path.exists():
            private, _ = new_key_pair(f"{cluster}")
            beside = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(private.reveal_bytes())
            with suppress(FileExistsError):
                path.hardlink_to(beside)
            beside.unlink()
        return Secret(path.read_bytes())

    def _read(self, cluster: ClusterId) -> Secret:
        if self.store is not None:
            return _private(self.store.get(cluster.credential(LEAF)).value)
        try:
            return Secret(self._path(cluster).read_bytes())
        except OSError as error:
            raise NotFound(
                f"the key to log in to cluster {cluster} is not at {self._path(cluster)}: {error.strerror}"
            ) from None

    def _path(self, cluster: ClusterId) -> Path:
        return self.directory / cluster.director / cluster.name / LEAF


def _private(value: object) -> Secret:
    if not isinstance(value, KeyPair):
        raise NotFound(f"the credential {LEAF!r} of the cluster is no SSH key; delete it, and a new one is made")
    return value.private_key
