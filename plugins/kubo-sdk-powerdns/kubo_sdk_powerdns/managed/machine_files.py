"""What every machine gets: who its resolvers are, and the few names it must know without them.  Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.ports.node import Contribution, NodeContext, NodeFile, Unit
from kubo_sdk_powerdns.managed import paths
from kubo_sdk_powerdns.managed.units import RESOLVER_UNIT, resolver_unit

# What the C library reads; it stops after the third.
MOST_SERVERS = 3

# A link, so that the servers may change without anything being started again.  Whatever was there comes back when the
# cluster's names come from somewhere else.
RESOLVER_SCRIPT = f"""\
set -eu
there=/etc/resolv.conf
before=/etc/resolv.conf.before-kubo
case $1 in
  set)
    if [ "$(readlink $there || true)" = {paths.RESOLV_CONF} ]; then exit; fi
    if [ -e $there ] || [ -L $there ]; then cp -a --remove-destination $there $before; fi
    ln -sfn {paths.RESOLV_CONF} $there.kubo
    mv -fT $there.kubo $there
    ;;
  restore)
    if [ "$(readlink $there || true)" != {paths.RESOLV_CONF} ]; then exit; fi
    if [ -e $before ] || [ -L $before ]; then mv -fT $before $there; else rm -f $there; fi
    ;;
esac
"""


def machine_files(context: NodeContext, servers: Sequence[Instance]) -> Contribution:
    """*servers* are the instances that answer, with a machine or without."""
    files = (
        NodeFile(path=paths.HOSTS, content=hosts(context)),
        NodeFile(path=paths.RESOLV_CONF, content=resolv_conf(context, servers)),
        NodeFile(path=paths.RESOLVER, content=RESOLVER_SCRIPT),
    )
    return Contribution(files=files, units=(Unit(name=RESOLVER_UNIT, text=resolver_unit()),))


def resolv_conf(context: NodeContext, servers: Sequence[Instance]) -> str:
    """A machine that is a server asks itself first; the others begin with different ones, so that all have some."""
    known = [server for server in servers if context.addresses.get(server.id)]
    turn = context.instance.index % max(1, len(known))
    known = known[turn:] + known[:turn]
    known.sort(key=lambda server: server.id != context.instance.id)
    lines = [f"nameserver {context.addresses[server.id]}" for server in known[:MOST_SERVERS]]
    head = [f"search {context.spec.domain}", "options timeout:1 attempts:2"]
    return "".join(f"{line}\n" for line in (*head, *lines))


def hosts(context: NodeContext) -> str:
    """Itself, for daemons that look their own name up; and on etcd machines the members.

    They find each other by name, and their majority must not hang on a server that is away.
    """
    domain = context.spec.domain
    known = {context.instance.id: context.instance}
    if context.instance.role is Role.ETCD:
        known |= {peer.id: peer for peer, _ in context.peers(Role.ETCD)}
    addresses = {**context.addresses, context.instance.id: context.address}
    lines = [
        f"{addresses[name]} {one.slug}.{domain} {one.slug}\n"
        for name, one in sorted(known.items())
        if addresses.get(name)
    ]
    return "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n" + "".join(lines)
