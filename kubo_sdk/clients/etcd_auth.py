"""Who may do what in etcd: root everything, each other user its own keys.  Nobody else gets in.

A worker that could read Kubernetes' keys would own the cluster (CVE-2019-3779), so the overlay's user is kept to the
overlay's prefixes, and the API servers' to Kubernetes' own.
"""

from __future__ import annotations

from attrs import field, frozen

from kubo_sdk.clients.etcd import EtcdClient
from kubo_sdk.errors import AuthError
from kubo_sdk.model.secret import Secret
from kubo_sdk.ports.credentials import User

ROOT_ROLE = "root"
OVERLAY_ROLE = "overlay"
KUBERNETES_ROLE = "kubernetes"
KUBERNETES_PREFIX = "/registry/"
# The API servers agree on the next compaction through this one key outside their prefix.
COMPACTION_KEY = "compact_rev_key"


@frozen(kw_only=True)
class EtcdAccess:
    """Who may use etcd.

    ``apiserver`` is the common name of the API servers' client certificate, which alone lets them in.  ``overlay`` is
    the user of the overlay's agents, limited to ``overlay_prefixes``.  ``previous_root_passwords`` are tried where
    etcd does not know root's newest one yet.
    """

    root: User
    apiserver: str = "kube-apiserver-etcd-client"
    overlay: User | None = None
    overlay_prefixes: tuple[str, ...] = ()
    previous_root_passwords: tuple[Secret, ...] = field(default=(), repr=False)


def ensure_access(client: EtcdClient, access: EtcdAccess) -> None:
    """Bring etcd's users and roles to what is wished for, with authentication on; *client* speaks as root afterwards.

    May be called again after any interruption: the door is locked only after everybody has a key.  The API servers may
    be running already.  Raises AuthError when no root password is accepted.
    """
    locked = _sign_in(client, access)
    for tenant in _tenants(access):
        _ensure_tenant(client, tenant)
    if not locked:
        client.ensure_user(access.root.username, access.root.password)
        client.grant(access.root.username, ROOT_ROLE)
        client.enable_auth()
        client.authenticate(access.root.username, access.root.password)


@frozen(kw_only=True)
class _Tenant:
    """A user that may read and write its own prefixes and keys through a role of its own, and nothing else."""

    name: str
    role: str
    prefixes: tuple[str, ...]
    keys: tuple[str, ...] = ()
    password: Secret | None = None


def _tenants(access: EtcdAccess) -> tuple[_Tenant, ...]:
    kubernetes = _Tenant(
        name=access.apiserver, role=KUBERNETES_ROLE, prefixes=(KUBERNETES_PREFIX,), keys=(COMPACTION_KEY,)
    )
    if access.overlay is None:
        return (kubernetes,)
    name, password = access.overlay.username, access.overlay.password
    return kubernetes, _Tenant(name=name, role=OVERLAY_ROLE, prefixes=access.overlay_prefixes, password=password)


def _ensure_tenant(client: EtcdClient, tenant: _Tenant) -> None:
    made = client.ensure_user(tenant.name, tenant.password)
    client.ensure_role(tenant.role, tenant.prefixes, tenant.keys)
    # Newer etcd takes a second grant for a change, which would break requests that are under way.
    if made or tenant.role not in client.roles(tenant.name):
        client.grant(tenant.name, tenant.role)


def _sign_in(client: EtcdClient, access: EtcdAccess) -> bool:
    """Speak as root, and give a root with an older password the new one.  False while authentication is off."""
    name, password = access.root.username, access.root.password
    try:
        return client.authenticate(name, password)
    except AuthError:
        older = next((each for each in access.previous_root_passwords if client.accepts(name, each)), None)
        if older is None:
            raise
    client.authenticate(name, older)
    client.ensure_user(name, password)
    return client.authenticate(name, password)
