"""SshHost: how one machine is reached, and by which key it is known."""

from __future__ import annotations

from attrs import field, frozen

from kubo_sdk.model.secret import Secret


@frozen(kw_only=True)
class SshHost:
    """One machine.  ``key`` is the private key to log in with, in OpenSSH or PEM form, without a passphrase.

    ``host_keys`` are the machine's public keys, each ``ssh-ed25519 AAAA...``; a machine that shows none of them is not
    entered.  A user other than root needs sudo without a password.  ``jump`` is a machine to go through, pinned too.
    ``name`` is what messages call the machine, ``host`` where it is empty.
    """

    host: str
    port: int = 22
    user: str = "root"
    key: Secret
    host_keys: tuple[str, ...]
    jump: SshHost | None = None
    name: str = field(default="", eq=False)

    @property
    def title(self) -> str:
        """What messages say: ``worker/0 (10.0.0.7:22)``."""
        place = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        return f"{self.name} ({place})" if self.name and self.name != self.host else place
