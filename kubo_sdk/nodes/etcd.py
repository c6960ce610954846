"""An etcd member: one of those that all start at once in a new cluster, or one that joins what is there.

Who is a member is etcd's own affair, so what it starts with lies in files whose change restarts nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve

from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.spec import ClusterSpec, InstanceGroup
from kubo_sdk.nodes import accounts
from kubo_sdk.nodes.credential_files import authority_file, certificate_files
from kubo_sdk.nodes.flags import flags_for
from kubo_sdk.nodes.gates import ETCD
from kubo_sdk.nodes.paths import DISK, ETCD_PKI
from kubo_sdk.pki.certificates import sorted_bundle
from kubo_sdk.ports.node import Contribution, NodeContext, NodeFile, Unit
from kubo_sdk.systemd import HARDENED, command_line, service

UNIT = "etcd.service"
LOOPBACK = "127.0.0.1"
CLIENT_PORT = 2379
PEER_PORT = 2380
METRICS_PORT = 2381

# What a new cluster starts with; a member that has data does not look at it.
CLUSTER_FILE = "/etc/etcd/cluster.env"
# Written just before the first start of a member that joins.  It goes when that member has started.
JOIN_FILE = "/etc/etcd/join.env"

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
        _authorities_file(context),
        *certificate_files(context, f"etcd-server-{slug}", SERVER, accounts.ETCD),
        *certificate_files(context, f"etcd-peer-{slug}", PEER, accounts.ETCD),
    )
    # Certificate and key it reads anew for every connection, the authorities at its start alone.
    unit = Unit(name=UNIT, text=_unit(context), restart_on=(CA,))
    return Contribution(files=(*files, _cluster_file(context)), units=(unit,))


def _authorities_file(context: NodeContext) -> NodeFile:
    """In an order that does not tell which of them signs: when that changes, nothing is to be restarted."""
    found = authority_file(context, f"etcd-server-{context.instance.slug}", CA)
    return evolve(found, content=sorted_bundle(str(found.content)))


def _cluster_file(context: NodeContext) -> NodeFile:
    # Members know each other by name: a data directory outlives its machine, and the next one may have a new address.
    members = ((peer.slug, peer_url(context.spec, peer)) for peer in context.spec.instances(Role.ETCD))
    client_urls = (client_url(context.address), client_url(LOOPBACK))
    return NodeFile(path=CLUSTER_FILE, content=environment(members, state="new", client_urls=client_urls))


def environment(members: Iterable[tuple[str, str]], *, state: str, client_urls: Iterable[str]) -> str:
    """What etcd starts with: (name, peer URL) of each member, and where it listens to clients."""
    settings = {
        "ETCD_INITIAL_CLUSTER": ",".join(f"{name}={url}" for name, url in members),
        "ETCD_INITIAL_CLUSTER_STATE": state,
        "ETCD_LISTEN_CLIENT_URLS": ",".join(client_urls),
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def client_url(address: str) -> str:
    return f"https://{address}:{CLIENT_PORT}"


def peer_url(spec: ClusterSpec, member: Instance) -> str:
    """Where the other members find it."""
    return f"https://{spec.hostname(member)}:{PEER_PORT}"


def endpoints(context: NodeContext) -> str:
    """The client URLs of all members, as a comma-separated list."""
    return ",".join(client_url(address) for _, address in context.peers(Role.ETCD))


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
            "EnvironmentFile": (CLUSTER_FILE, f"-{JOIN_FILE}"),
            "ExecStartPre": f"+{command_line(make_directory)}",
            "ExecStartPost": f"+{command_line(('/bin/rm', '-f', JOIN_FILE))}",
            # Told to end, it goes on for a moment to answer requests with nothing, which API servers take for an error.
            # Killed, it closes their connections at once and they go on with another member.  What it acknowledged is
            # on the disk, and the director has its leadership moved before.
            "KillSignal": "SIGKILL",
            "SuccessExitStatus": "SIGKILL",
            # It reports itself ready once it has a leader; one that waits for the others must not be killed.
            "TimeoutStartSec": "infinity",
        },
    )


def _flags(context: NodeContext) -> dict[str, str]:
    address = context.address
    group = context.spec.group(context.instance.group)
    return {
        "name": context.instance.slug,
        "data-dir": data_directory(group),
        "advertise-client-urls": client_url(address),
        "listen-peer-urls": f"https://{address}:{PEER_PORT}",
        "initial-advertise-peer-urls": peer_url(context.spec, context.instance),
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
