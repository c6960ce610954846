"""What runs behind each unit that does something in the fake cloud."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from kubo_sdk.testing.fakes.api_process import ApiProcess
from kubo_sdk.testing.fakes.etcd_process import EtcdProcess
from kubo_sdk.testing.fakes.front import FrontProcess
from kubo_sdk.testing.fakes.kubelets import KubeletProcess
from kubo_sdk.testing.fakes.units import FakeUnit, Process

if TYPE_CHECKING:
    from kubo_sdk.testing.fakes.machine import FakeMachine

PROCESSES: Mapping[str, Callable[[FakeMachine, FakeUnit, str], Process]] = MappingProxyType(
    {
        "etcd.service": EtcdProcess,
        "kube-apiserver.service": ApiProcess,
        "kubelet.service": KubeletProcess,
        "kubo-haproxy.service": FrontProcess,
    }
)
