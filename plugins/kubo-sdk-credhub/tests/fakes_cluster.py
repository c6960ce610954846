"""A cluster of the core on fake machines whose every secret is in CredHub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import frozen

import kubo_sdk_credhub.plugin
from kubo_sdk import Cluster, Plugins
from kubo_sdk.model.spec import ProviderChoice
from kubo_sdk.testing.fakes import FakeCloud, fake_spec, sized


@frozen
class OnFakes:
    """*cloud* has the machines; the cluster may be connected again and again."""

    cloud: FakeCloud
    home: Path

    def cluster(self, store: ProviderChoice, **more: Any) -> Cluster:
        groups = {"instance_groups": sized(etcd=1, master=1, worker=1), **more}
        spec = fake_spec(self.home / "release", name="demo", credential_store=store, **groups)
        return Cluster(
            spec,
            plugins=Plugins(self.cloud.plugin(), kubo_sdk_credhub.plugin, load_installed=False),
            state_dir=self.home / "state",
            cache_dir=self.home / "cache",
            base_dir=self.home,
            clock=self.cloud.clock,
        )
