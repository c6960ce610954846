"""The local CPI passes the contract of every CPI, with real machines in a network namespace of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from attrs import evolve

from kubo_sdk.ports.cpi import SharedTree, Vm, VmRequest
from kubo_sdk.testing.contracts.cpi import CpiContract
from kubo_sdk.testing.spawn import Spawnable
from kubo_sdk_local.cpi import LocalCpi

from .conftest import CACHE, SECOND_SUBNET

MakeCpi = Callable[..., LocalCpi]


# Nothing can be mounted below a file.  It is found out inside the new machine, when all else of it is there.
IMPOSSIBLE = PurePosixPath("/etc/passwd/below")


class BreakableCpi:
    """The local CPI.  While ``armed``, the next machine asked for cannot be completed."""

    def __init__(self, cpi: LocalCpi) -> None:
        self._cpi = cpi
        self.armed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cpi, name)

    def create_vm(self, request: VmRequest) -> Vm:
        if self.armed:
            request = evolve(request, trees=(SharedTree(source=Path("/usr"), target=IMPOSSIBLE),))
        self.armed = False
        return self._cpi.create_vm(request)


class TestLocalCpi(CpiContract):
    @pytest.fixture
    def cpi(self, make_cpi: MakeCpi) -> BreakableCpi:
        return BreakableCpi(make_cpi())

    @pytest.fixture
    def break_next(self, cpi: BreakableCpi) -> Callable[[str], None]:
        def arm(method: str) -> None:
            if method != "create_vm":
                pytest.skip(f"there is no way to break {method} half-way")
            cpi.armed = True

        return arm

    @pytest.fixture
    def reconnected(self, make_cpi: MakeCpi) -> LocalCpi:
        return make_cpi()

    @pytest.fixture
    def other_cpi(self, make_cpi: MakeCpi) -> LocalCpi:
        return make_cpi(subnet=SECOND_SUBNET)

    @pytest.fixture
    def spawnable(self, root: Path) -> Spawnable:
        return Spawnable(provider="local", state_dir=root, cache_dir=CACHE)
