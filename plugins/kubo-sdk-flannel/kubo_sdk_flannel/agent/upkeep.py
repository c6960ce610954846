"""Keeps one node's network as its leases ask: woken by the kernel and by the store, and now and then by the clock."""

from __future__ import annotations

import select
import time

from kubo_sdk_flannel.agent import files, sysctl
from kubo_sdk_flannel.agent.device import NoUnderlay
from kubo_sdk_flannel.agent.events import RouteEvents, RuleEvents
from kubo_sdk_flannel.agent.firewall import Firewall, FirewallTrouble, announces_changes
from kubo_sdk_flannel.agent.follower import Backoff, Follower
from kubo_sdk_flannel.agent.plane import Plane
from kubo_sdk_flannel.agent.settings import Settings
from kubo_sdk_flannel.agent.state import State
from kubo_sdk_flannel.agent.store import Store, View
from kubo_sdk_flannel.agent.trouble import say
from kubo_sdk_flannel.agent.wire import Network, subnet_env

LOOK_SECONDS = 60.0  # the kernel is looked at this often even if no event asked for it
SETTLE_SECONDS = 0.05  # events come in bursts
RETRY_SECONDS = 1.0
RULES_SECONDS = 5.0  # flannel's own resync period; kube-proxy's writes wake us no more often


class Upkeep:
    """The kernel's side of the agent.  Knows no store but the time its lease ends."""

    def __init__(self, settings: Settings, state: State, network: Network, plane: Plane, store: Store) -> None:
        self._settings = settings
        self._state = state
        self._network = network
        self._plane = plane
        self._store = store
        self._events = RouteEvents()
        self._rule_events = _rule_events()
        self._firewall = Firewall(network.network)
        self._look_at = self._rules_at = 0.0
        self._rules_checked = 0.0

    def bring_up(self, view: View) -> None:
        """Until the data plane and the rules are there, and the node's other programs know."""
        backoff = Backoff()
        sysctl.ensure()
        while not (self._reconcile(view, "") and self._check_rules(view)):
            backoff.wait()
        self._announce(view)
        say(f"the network is up: {view.own.subnet} over {view.own.backend}, other nodes: {len(view.others)}")

    def keep(self, follower: Follower) -> None:
        """For ever; raises what ended *follower*."""
        waiter = select.poll()
        for source in (follower, self._events, self._rule_events):
            if source is not None:
                waiter.register(source.fileno(), select.POLLIN)
        view: View | None = None
        while True:
            waiter.poll(max(0.0, min(self._look_at, self._rules_at) - time.monotonic()) * 1000)
            newest, error = follower.newest()
            self._state.trouble("store", error)
            if newest != view:
                self._follow(view, newest)
                view = newest
            self._note_events()
            if time.monotonic() >= self._look_at:
                self._reconcile(view, "put back what somebody changed")
            if time.monotonic() >= self._rules_at and self._check_rules(view):
                self._announce(view)

    def _note_events(self) -> None:
        now = time.monotonic()
        if self._events.touched(self._plane.devices, self._network.subnet_length):
            self._look_at = min(self._look_at, now + SETTLE_SECONDS)
        if self._rule_events and self._rule_events.touched():
            self._rules_at = min(self._rules_at, max(now + SETTLE_SECONDS, self._rules_checked + RULES_SECONDS))

    def _follow(self, before: View | None, view: View) -> None:
        if before is not None and before.own.subnet != view.own.subnet:
            say(f"this node's subnet is now {view.own.subnet}, no longer {before.own.subnet}; make its pods anew")
            self._rules_at = 0.0
        self._reconcile(view, "the leases changed")
        self._announce(view)

    def _reconcile(self, view: View, why: str) -> bool:
        """One pass over the data plane; whether all of it is right now."""
        try:
            outcome = self._plane.reconcile(view)
        except (OSError, NoUnderlay) as error:
            failed = f"cannot set up {self._plane.device or 'the routes'}: {error}"
        else:
            failed = "; ".join(outcome.failed)
            if why and outcome.changes and not failed:
                say(f"{why}: {outcome.changes}")
        self._state.trouble("data plane", failed)
        self._look_at = time.monotonic() + (RETRY_SECONDS if failed else LOOK_SECONDS)
        return not failed

    def _check_rules(self, view: View) -> bool:
        subnet = view.own.subnet
        try:
            if self._firewall.check(subnet) and self._rules_checked:
                say("put back the iptables rules of the pod network")
            failed = ""
        except FirewallTrouble as error:
            failed = str(error)
        self._state.trouble("iptables", failed)
        self._rules_checked = time.monotonic()
        quiet = self._rule_events is not None and not failed
        self._rules_at = self._rules_checked + (LOOK_SECONDS if quiet else RULES_SECONDS)
        return not failed

    def _announce(self, view: View) -> None:
        """Tell the container runtime and whoever else reads files."""
        network, subnet, mtu = self._network, view.own.subnet, self._plane.mtu
        files.write(self._settings.subnet_file, subnet_env(network, subnet, mtu))
        files.write(self._settings.cni_file, files.conflist(network, subnet, mtu))
        self._state.ready(
            view,
            network=str(network.network),
            device=self._plane.device,
            mtu=mtu,
            expires_at=self._store.expires_at(),
        )


def _rule_events() -> RuleEvents | None:
    """None where nobody tells of changed rules; they are then looked at as often as flannel does."""
    try:
        return RuleEvents() if announces_changes() else None
    except OSError:
        return None
