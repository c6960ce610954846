"""EC2 passes the contract of every CPI, on the moto server; its machines are entered by SSH and understand nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubo_sdk.ports.providers import ConnectContext
from kubo_sdk.testing.contracts.cpi import CpiContract
from kubo_sdk.testing.spawn import Spawnable
from kubo_sdk_libcloud.cpi import LibcloudCpi

from .conftest import MakeCpi
from .faulting_proxy import FaultingProxy
from .moto_server import SECRET

# What a method asks for that does its work, and what it asks for afterwards.
WORK = {
    "create_vm": "RunInstances",
    "create_disk": "CreateVolume",
    "attach_disk": "AttachVolume",
    "detach_disk": "DetachVolume",
    "delete_disk": "DeleteVolume",
    "delete_vm": "TerminateInstances",
}
HALF_WAY = {"create_vm": "DescribeInstances", "create_disk": "DescribeVolumes"}


class TestEc2(CpiContract):
    runs_commands = False
    concurrent_creates = 20
    killed_moments = 3

    @pytest.fixture
    def cpi(self, make_cpi: MakeCpi) -> LibcloudCpi:
        return make_cpi()

    @pytest.fixture
    def reconnected(self, make_cpi: MakeCpi) -> LibcloudCpi:
        return make_cpi()

    @pytest.fixture
    def locked_out(self, make_cpi: MakeCpi, tmp_path: Path) -> LibcloudCpi:
        (tmp_path / "wrong").write_text("AKIANOBODY")
        return make_cpi({"access_key": {"file": "wrong"}})

    @pytest.fixture
    def spawnable(self, options: dict[str, Any], context: ConnectContext) -> Spawnable:
        return Spawnable(
            provider="libcloud",
            options=options,
            state_dir=context.state_dir,
            cache_dir=context.cache_dir,
            base_dir=context.base_dir,
        )

    @pytest.fixture
    def secrets(self, cpi: LibcloudCpi, context: ConnectContext) -> tuple[str, ...]:
        return (SECRET, "PRIVATE KEY")

    @pytest.fixture
    def break_next(self, proxy: FaultingProxy) -> Callable[[str], None]:
        def arm(method: str) -> None:
            if method == "delete_vm":
                proxy.refuse("TerminateInstances", "UnauthorizedOperation", 403)
                return
            # The work is done; then the right to look at it is missing.
            proxy.refuse(HALF_WAY[method], "UnauthorizedOperation", 403)
            fault = proxy.faults[-1]
            fault.matches = lambda params: any(name.endswith("Id.1") for name in params)

        return arm

    @pytest.fixture
    def lose_answer(self, proxy: FaultingProxy) -> Callable[[str], None]:
        return lambda method: proxy.lose(WORK[method])

    @pytest.fixture
    def exhaust_quota(self, proxy: FaultingProxy) -> Callable[[], None]:
        return lambda: proxy.refuse("RunInstances", "VcpuLimitExceeded", times=1000)

    @pytest.fixture
    def throttle(self, proxy: FaultingProxy) -> Callable[[], None]:
        return lambda: proxy.refuse("RunInstances", "RequestLimitExceeded", 503)

    @pytest.fixture
    def made_by_hand(self, ec2: Any, image: str) -> Any:
        made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro")["Instances"][0]

        def now() -> Any:
            (found,) = ec2.describe_instances(InstanceIds=[made["InstanceId"]])["Reservations"]
            return [(each["State"], each.get("Tags")) for each in found["Instances"]]

        yield now
        ec2.terminate_instances(InstanceIds=[made["InstanceId"]])
