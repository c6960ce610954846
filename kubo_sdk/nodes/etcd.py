"""An etcd member: one of a static cluster whose members all start at once."""

from __future__ import annotations

from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.spec import InstanceGroup
from kubo_sdk.nodes import accounts
from kubo_sdk.nodes.credential_files import authority_file, certificate_files
from kubo_sdk.nodes.flags import flags_for
from kubo_sdk.nodes.gates import ETCD
from kubo_sdk.nodes.paths import DISK, ETCD_PKI
from kubo_sdk.ports.node import Contribution, NodeContext, Unit
from kubo_sdk.systemd import HARDENED, command_line, service

CLIENT_PORT = 2379
PEER_PORT = 2380
METRICS_PORT = 2381

CA = f"{ETCD_PKI}/ca.crt"
SERVER = f"{ETCD_PKI}/server"
PEER = f"{ETCD_PKI}/peer"

MEBIBYTE = 1024 * 1024
DEFAULT_QUOTA_MB = 2048
LARGEST_QUOTA_MB = 8192


def etcd(context: NodeContext) -> Contribution:
    """The member of this instance, its certificates and its unit."""
    slug = context.instance.slug
    files = (
        accounts.account(accounts.ETCD, "etcd key-value store"),
        authority_file(context, f"etcd-server-{slug}", CA),
        *certificate_files(context, f"etcd-server-{slug}", SERVER, accounts.ETCD),
        *certificate_files(context, f"etcd-peer-{slug}", PEER, accounts.ETCD),
    )
    unit = Unit(name="etcd.service", text=_unit(context), restart_on=tuple(file.path for file in files[1:]))
    return Contribution(files=files, units=(unit,))


def endpoints(context: NodeContext) -> str:
    """The client URLs of all members, as a comma-separated list."""
    return ",".join(f"https://{address}:{CLIENT_PORT}" for _, address in context.peers(Role.ETCD))


def etcd_minor(version: str) -> int:
    """4 for 3.4.23."""
    return int(version.split(".")[1])


def quota_bytes(disk_mb: int) -> int:
    """How large the database may grow: half the disk, because the log and a snapshot must fit beside it."""
    quota_mb = min(disk_mb // 2, LARGEST_QUOTA_MB) if disk_mb else DEFAULT_QUOTA_MB
    return quota_mb * MEBIBYTE


def data_directory(group: InstanceGroup) -> str:
    """Where the member keeps its data: on the persistent disk when its group has one."""
    return f"{DISK}/etcd" if group.persistent_disk_mb else "/var/lib/etcd"


def _unit(context: NodeContext) -> str:
    directory = data_directory(context.spec.group(context.instance.group))
    make_directory = ("/usr/bin/install", "-d", "-m", "0700", "-o", accounts.ETCD, "-g", accounts.ETCD, directory)
    flags = flags_for(
        ETCD, etcd_minor(context.release.etcd_version), _flags(context), context.spec.kubernetes.extra_args.get(ETCD)
    )
    return service(
        description=f"etcd member {context.instance.slug} of {context.spec.id}",
        command=(context.release.binary("etcd"), *flags),
        # Without its disk it would take itself for a new member.
        unit={"RequiresMountsFor": directory},
        settings={
            **HARDENED,
            "Type": "notify",
            "User": accounts.ETCD,
            "ExecStartPre": f"+{command_line(make_directory)}",
            # It reports itself ready once it has a leader; one that waits for the others must not be killed.
            "TimeoutStartSec": "infinity",
        },
    )


def _flags(context: NodeContext) -> dict[str, str]:
    address = context.address
    # Members know each other by name: a data directory outlives its machine, and the next one may have a new address.
    members = (f"{peer.slug}={_peer_url(context, peer)}" for peer, _ in context.peers(Role.ETCD))
    group = context.spec.group(context.instance.group)
    return {
        "name": context.instance.slug,
        "data-dir": data_directory(group),
        "listen-client-urls": f"https://{address}:{CLIENT_PORT},https://127.0.0.1:{CLIENT_PORT}",
        "advertise-client-urls": f"https://{address}:{CLIENT_PORT}",
        "listen-peer-urls": f"https://{address}:{PEER_PORT}",
        "initial-advertise-peer-urls": _peer_url(context, context.instance),
        "initial-cluster": ",".join(members),
        "initial-cluster-state": "new",
        "initial-cluster-token": f"{context.spec.director}-{context.spec.name}",
        "listen-metrics-urls": f"http://127.0.0.1:{METRICS_PORT}",
        "trusted-ca-file": CA,
        "cert-file": f"{SERVER}.crt",
        "key-file": f"{SERVER}.key",
        "client-cert-auth": "true",
        "peer-trusted-ca-file": CA,
        "peer-cert-file": f"{PEER}.crt",
        "peer-key-file": f"{PEER}.key",
        "peer-client-cert-auth": "true",
        # A member that comes back must not unseat a leader the others are content with.
        "pre-vote": "true",
        # The API server compacts every five minutes; this is the net for when none does.
        "auto-compaction-mode": "periodic",
        "auto-compaction-retention": "30m",
        "quota-backend-bytes": str(quota_bytes(group.persistent_disk_mb)),
        "auth-token": "simple",
        # Passwords here are long and random: a costly hash would protect nothing and slow every login down.
        "bcrypt-cost": "4",
        "logger": "zap",
    }


def _peer_url(context: NodeContext, member: Instance) -> str:
    return f"https://{context.spec.hostname(member)}:{PEER_PORT}"
