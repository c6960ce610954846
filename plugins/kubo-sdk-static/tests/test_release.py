"""A machine that is given back is as it was before, wherever the release is cut off on its way."""

from __future__ import annotations

import pytest

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import Unavailable
from kubo_sdk_static.cpi import StaticCpi
from kubo_sdk_static.release_script import RELEASE

from .lab import RACKS, Lab, request

# What a worker of a cluster leaves, without a cluster.
USE = r"""
set -eu
mkdir -p /var/lib/kubo/started /etc/kubernetes/pki /etc/cni/net.d /opt/kubo/releases/x /var/log/kubernetes
mkdir -p /var/lib/kubelet/pods/p/volume /var/lib/containerd/io /run/netns /etc/sysusers.d /run/flannel
echo '127.0.0.1 localhost kubo' >/etc/hosts
echo key >/etc/kubernetes/pki/ca.key
echo conf >/etc/cni/net.d/10.conflist
echo 'u kubo-tester - "tester"' >/etc/sysusers.d/kubo-kubo-tester.conf
systemd-sysusers /etc/sysusers.d/kubo-kubo-tester.conf
cat >/etc/systemd/system/tester.service <<END
[Service]
ExecStart=/bin/sh -c 'exec -a kubelet sleep 1000'
KillMode=process
[Install]
WantedBy=multi-user.target
END
cat >/var/lib/kubo/manifest <<END
kubo-manifest 1 0123
file a /etc/hosts
file b /etc/kubernetes/pki/ca.key
file c /etc/cni/net.d/10.conflist
file d /etc/sysusers.d/kubo-kubo-tester.conf
file e /etc/systemd/system/tester.service
unit f tester.service multi-user.target
END
systemctl daemon-reload
systemctl enable --now tester.service
mount -t tmpfs tmpfs /var/lib/kubelet/pods/p/volume
ip netns add cni-1234
ip link add cni0 type bridge
ip link add flannel.1 type vxlan id 1 dstport 8472
ip link add veth1234 type veth peer name eth7 netns cni-1234
ip link set veth1234 master cni0
ip link set cni0 up
ip address add 10.100.200.10/32 dev lo
echo FLANNEL_NETWORK=10.200.0.0/16 >/run/flannel/subnet.env
ip route add 10.200.7.0/24 dev cni0
iptables -t nat -N KUBE-SERVICES
iptables -t nat -A PREROUTING -j KUBE-SERVICES
iptables -N FLANNEL-FWD
iptables -A FORWARD -j FLANNEL-FWD
nft add table inet kubo-refusals
echo 1 >/proc/sys/net/ipv4/ip_forward
mkdir -p /etc/modules-load.d
echo overlay >/etc/modules-load.d/kubo.conf
groupadd --system left-alone 2>/dev/null || true
"""


@pytest.fixture
def cpi(lab: Lab) -> StaticCpi:
    return lab.cpi(lab.file(["m0"], path="release.yml"))


def test_a_machine_that_is_given_back_is_as_it_was(lab: Lab, cpi: StaticCpi) -> None:
    lab.run("m0", "sh", "-c", "groupadd --system left-alone")
    before = lab.state("m0")
    vm = cpi.create_vm(request("worker/0"))
    lab.run("m0", "sh", "-c", USE)
    assert lab.state("m0") != before
    cpi.delete_vm(vm.id)
    assert lab.state("m0") == before
    assert cpi.list_vms(RACKS) == ()


@pytest.mark.parametrize("step", ["end_containers", "remove_rules", "undo_preparation", "empty /var/lib/kubo"])
def test_a_release_goes_on_wherever_it_was_cut_off(lab: Lab, cpi: StaticCpi, step: str) -> None:
    before = lab.state("m0")
    vm = cpi.create_vm(request("worker/0"))
    lab.run("m0", "sh", "-c", USE)
    assert RELEASE.count(f"\n{step}\n") == 1
    cut = RELEASE.replace(f"\n{step}\n", f"\nkill -KILL $$\n{step}\n")
    lab.local.open_shell(lab.machines["m0"]).run(["sh", "-c", cut, "sh", vm.id], timeout=120)
    assert [(found.id, str(found.state)) for found in cpi.list_vms(RACKS)] == [(vm.id, "starting")]
    again = cpi.create_vm(request("worker/0"))
    assert again.id != vm.id
    cpi.delete_vm(again.id)
    assert lab.state("m0") == before


def test_a_machine_restarts_and_keeps_its_claim(lab: Lab, cpi: StaticCpi) -> None:
    vm = cpi.create_vm(request("worker/0"))
    began = lab.run("m0", "stat", "-c", "%Y", "/proc/1")
    cpi.reboot_vm(vm.id)
    assert lab.run("m0", "stat", "-c", "%Y", "/proc/1") != began
    assert [found.id for found in cpi.list_vms(RACKS)] == [vm.id]
    cpi.delete_vm(vm.id)


def test_a_machine_may_be_restarted_when_it_is_given_back(lab: Lab) -> None:
    cpi = lab.cpi(lab.file(["m0"], path="release.yml"), restart_on_release=True)
    vm = cpi.create_vm(request("worker/0"))
    began = lab.run("m0", "stat", "-c", "%Y", "/proc/1")
    cpi.delete_vm(vm.id)
    assert lab.run("m0", "stat", "-c", "%Y", "/proc/1") != began
    assert cpi.list_vms(RACKS) == ()


def test_a_restart_that_does_not_end_is_unavailable(lab: Lab) -> None:
    cpi = lab.cpi(lab.file(["m0"], path="release.yml"), boot_timeout=0.5, connect_timeout=1.0)
    vm = cpi.create_vm(request("worker/0"))
    with lab.kept_off("m0"), pytest.raises(Unavailable, match="restart of machine m0"):
        cpi.reboot_vm(vm.id)
    wait_until(lambda: lab.answers(cpi, vm) or None, what="m0", timeout=60)
    cpi.delete_vm(vm.id)
