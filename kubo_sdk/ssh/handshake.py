"""Opens one SSH connection, and tells what went wrong as one of our errors."""

from __future__ import annotations

import asyncio
import os

import asyncssh

from kubo_sdk.errors import AuthError, HostError, KuboError, Unavailable
from kubo_sdk.ssh.host import SshHost

# A machine that is silent for three of these is taken for dead.
KEEPALIVE_SECONDS = 3
KEEPALIVE_COUNT = 3
# Those the processor helps with come first.
_CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes192-ctr",
    "aes128-ctr",
)
# How signatures are named, and the kinds of keys that make them.
_HOST_KEY_KINDS = {
    "ssh-ed25519": "ssh-ed25519",
    "ecdsa-sha2-nistp256": "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384": "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521": "ecdsa-sha2-nistp521",
    "rsa-sha2-512": "ssh-rsa",
    "rsa-sha2-256": "ssh-rsa",
}


async def open_connection(
    host: SshHost, through: asyncssh.SSHClientConnection | None, timeout: float
) -> asyncssh.SSHClientConnection:
    """A connection that is logged in.  Nothing of the user's own SSH set-up is read.

    Raises AuthError when the machine is another one or refuses the key, else Unavailable; HostError for this host.
    """
    key, pinned = _login_key(host), _pinned(host)
    try:
        async with asyncio.timeout(timeout):
            return await asyncssh.connect(
                host.host,
                host.port,
                tunnel=through or (),
                config=None,
                username=host.user,
                client_keys=[key],
                known_hosts=(pinned, [], []),
                server_host_key_algs=_kinds_in_order(pinned),
                x509_trusted_certs=None,
                agent_path=None,
                password=None,
                gss_host=None,
                preferred_auth=["publickey"],
                encryption_algs=list(_CIPHERS),
                compression_algs=None,
                keepalive_interval=KEEPALIVE_SECONDS,
                keepalive_count_max=KEEPALIVE_COUNT,
                connect_timeout=None,
                login_timeout=0,
            )
    except (asyncssh.Error, OSError, ValueError) as error:
        raise _told(host, error, timeout) from error


def _login_key(host: SshHost) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_private_key(host.key.reveal_bytes())
    except (asyncssh.KeyImportError, ValueError):
        pass  # Its message may quote the key.
    raise AuthError(f"the SSH key for {host.title} is no private key without a passphrase; give it another one")


def _pinned(host: SshHost) -> list[asyncssh.SSHKey]:
    try:
        keys = [asyncssh.import_public_key(line) for line in host.host_keys]
    except (asyncssh.KeyImportError, ValueError) as error:
        raise AuthError(f"a pinned host key of {host.title} is no public key: {error}") from error
    if not keys:
        raise AuthError(f"no host key of {host.title} is known, so it is not entered; pin what its sshd shows")
    return keys


def _kinds_in_order(pinned: list[asyncssh.SSHKey]) -> list[str]:
    """The pinned kinds first, so that a machine with several keys shows one of those.

    The others too, for where nothing is in common the handshake breaks off, and nobody learns why.
    """
    wanted = {key.algorithm.decode() for key in pinned}
    return sorted(_HOST_KEY_KINDS, key=lambda kind: _HOST_KEY_KINDS[kind] not in wanted)


def _told(host: SshHost, error: Exception, timeout: float) -> KuboError:
    where = host.title
    told: KuboError
    match error:
        case TimeoutError():
            told = Unavailable(f"{where} did not let us in within {timeout:g} s; check that its sshd runs")
        case asyncssh.HostKeyNotVerifiable():
            told = AuthError(f"{where} shows another host key than the pinned one; make sure that it is the machine")
        case asyncssh.PermissionDenied():
            told = AuthError(f"{where} refuses the SSH key for user {host.user!r}; add it to its authorized_keys")
        case asyncssh.ChannelOpenError():
            told = Unavailable(f"the jump host does not get through to {where}: {error.reason}; check that it may")
        case asyncssh.ConnectionLost():
            told = Unavailable(f"{where} broke off the SSH handshake; look at the log of its sshd")
        case asyncssh.Error():
            told = Unavailable(f"{where} does not speak SSH as expected: {error}")
        case OSError():
            told = Unavailable(f"{where} cannot be reached over SSH: {_reason(error)}; check that its sshd runs")
        case _:
            told = HostError(f"this host cannot open SSH connections: {error}")
    return told


def _reason(error: OSError) -> str:
    """What the system calls it; asyncio's own words hide that, and a resolver's numbers are not the system's."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)
