"""World: everything real behind the API.  It follows what the API says there is, one change after the other."""

from __future__ import annotations

import threading
from pathlib import Path

from . import api
from . import machines as machines_module
from . import volumes as volumes_module
from .balancers import Balancers
from .firewall import Firewall
from .machines import Machines
from .volumes import Volumes


class World:
    """All of it lives below *home*, in the network namespace of this process."""

    def __init__(self, home: Path, cache: Path) -> None:
        self._home, self._cache = home, cache
        self.machines = Machines(home, cache)
        self._volumes = Volumes(home / "volumes", self.machines)
        self._balancers = Balancers(home / "balancers")
        self._firewall = Firewall(self.machines)
        self._unbootable: set[str] = set()
        self._lock = threading.Lock()

    def follow(self, action: str, form: dict[str, list[str]], faults: frozenset[str]) -> None:
        """Bring about what *action* with *form* asked for; *faults* are to happen with it."""
        with self._lock:
            if "stuck" in faults:
                api.get_stuck(form["VolumeId"][0])
            self._follow_instances(faults)
            if action == "RebootInstances":
                for name in [value for key, (value, *_) in form.items() if key.startswith("InstanceId")]:
                    self.machines.reboot(name)
            self._firewall.follow(api.openings())
            self._volumes.follow(*api.volumes())
            self._follow_balancers()

    def _follow_instances(self, faults: frozenset[str]) -> None:
        there = self.machines.ids()
        for instance in api.instances():
            name, running = instance.id, self.machines.is_running(instance.id)
            if instance.state == "terminated" and name in there:
                self.machines.terminate(name)
            elif instance.state == "stopped" and running:
                self.machines.stop(name)
            elif instance.state == "running" and not running and name not in self._unbootable:
                self._run(instance, faults, new=name not in there)

    def _run(self, instance: object, faults: frozenset[str], *, new: bool) -> None:
        wish = api.wish(instance, host_key="stranger" not in faults)
        if new and "unbootable" in faults:
            self._unbootable.add(wish.id)
        else:
            self.machines.run(wish)

    def _follow_balancers(self) -> None:
        found = list(api.balancers())
        for _, vpc, cidr in found:
            self.machines.network(vpc, cidr)
        self._balancers.follow({balancer.name: balancer for balancer, _, _ in found})

    def clear(self) -> None:
        """End everything real."""
        with self._lock:
            self._balancers.clear()
            clear(self._home, self._cache)


def clear(home: Path, cache: Path) -> None:
    """End what is real below *home*, whoever made it; its balancers end with the process that made them."""
    machines_module.clear(home, cache)
    volumes_module.clear(home / "volumes")
