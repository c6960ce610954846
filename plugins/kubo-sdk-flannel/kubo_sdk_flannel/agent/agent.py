"""The agent's life: find the network, take a lease, bring the network up, keep it."""

from __future__ import annotations

from pathlib import Path

from kubo_sdk_flannel.agent import files, systemd
from kubo_sdk_flannel.agent.device import NoUnderlay
from kubo_sdk_flannel.agent.etcd_store import EtcdStore
from kubo_sdk_flannel.agent.follower import Backoff, Follower
from kubo_sdk_flannel.agent.plane import Plane
from kubo_sdk_flannel.agent.settings import Settings
from kubo_sdk_flannel.agent.state import State
from kubo_sdk_flannel.agent.store import Opened, Store, View
from kubo_sdk_flannel.agent.trouble import StoreTrouble
from kubo_sdk_flannel.agent.upkeep import Upkeep
from kubo_sdk_flannel.agent.wire import VXLAN, BadNetwork, Network

BOOT_SECONDS = 60.0  # while a cluster comes up, whoever it waits for may answer at any moment


def run(settings: Settings, store: Store) -> None:
    """Until a signal ends it, or NetworkChanged.  The data plane stays behind on purpose: pods go on talking."""
    if not Path(settings.subnet_file).exists():
        files.remove(settings.cni_file)  # from before a reboot: there is no network now
    state = State(settings.state_file, settings.public_ip)
    systemd.notify("READY=1", "STATUS=waiting for the network's configuration")
    opened = _wait_for_network(store, state)
    plane = _wait_for_underlay(opened.network, settings.public_ip, state)
    plane.prepare(opened.own.mac if opened.own else "")
    view = _wait_for_lease(store, opened.network, plane.mac, state)
    upkeep = Upkeep(settings, state, opened.network, plane, store)
    upkeep.bring_up(view)
    follower = Follower(store, view)
    follower.start()
    upkeep.keep(follower)


def open_store(settings: Settings) -> Store:
    """The store these settings name."""
    if settings.etcd is not None:
        return EtcdStore(settings)
    from kubo_sdk_flannel.agent.kubernetes_store import KubernetesStore  # noqa: PLC0415  imported where it is used

    return KubernetesStore(settings)


def _wait_for_network(store: Store, state: State) -> Opened:
    backoff = Backoff(BOOT_SECONDS)
    while True:
        try:
            opened = store.open()
            if opened is not None:
                state.trouble("store", "")
                return opened
            state.trouble("store", "the network has no configuration yet; waiting for it")
        except (StoreTrouble, BadNetwork) as error:
            state.trouble("store", str(error))
        backoff.wait()


def _wait_for_underlay(network: Network, public_ip: str, state: State) -> Plane:
    backoff = Backoff(BOOT_SECONDS)
    while True:
        try:
            plane = Plane(network, public_ip)
        except NoUnderlay as error:
            state.trouble("interface", str(error))
            backoff.wait()
        else:
            state.trouble("interface", "")
            return plane


def _wait_for_lease(store: Store, network: Network, mac: str, state: State) -> View:
    backoff = Backoff(BOOT_SECONDS)
    backend = network.backend
    while True:
        try:
            view = store.join(backend.type, backend.vni if backend.type == VXLAN else 0, mac)
        except StoreTrouble as error:
            state.trouble("store", str(error))
            backoff.wait()
        else:
            state.trouble("store", "")
            return view
