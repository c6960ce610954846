"""What every CPI promises about the time when things go wrong.  Part of `CpiContract`.

What breaks is the author's to offer, by the fixtures `break_next`, `exhaust_quota` and `throttle`.  An answer that is
lost is one nobody hears: the call is made and made again.  With `lose_answer` it is lost inside the provider.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from kubo_sdk.errors import AuthError, KuboError, ProviderError, QuotaExceeded, Unavailable
from kubo_sdk.ports.cpi import Cpi, DiskCpi
from kubo_sdk.testing.contracts.contract import (
    assert_is_final,
    assert_is_one_sentence,
    error_of,
    not_offered,
    require_flag,
)
from kubo_sdk.testing.contracts.cpi_site import CpiSite, Hook, Site

Eventually = Callable[..., None]
ByMethod = Callable[[str], object]


class CpiTrouble(CpiSite):
    """Failures half-way, lost answers, no room, too many calls, secrets."""

    def test_a_creation_that_fails_half_way_leaves_nothing(
        self, site: Site, break_next: ByMethod, eventually: Eventually
    ) -> None:
        neighbour = site.create("worker/1")
        break_next("create_vm")
        self._assert_fails(site.create)
        eventually(site.ids, [neighbour.id])
        made = site.running()
        eventually(site.ids, sorted((neighbour.id, made.id)))

    def test_a_creation_with_a_disk_that_fails_half_way_leaves_the_disk_free(
        self, site: Site, break_next: ByMethod, eventually: Eventually
    ) -> None:
        disk = site.disk()
        break_next("create_vm")
        self._assert_fails(lambda: site.create("etcd/0", disks=(disk.id,)))
        eventually(site.ids, [])
        eventually(lambda: site.disks.list_disks(site.cluster), (disk,))
        site.disks.delete_disk(disk.id)

    def test_a_disk_whose_creation_fails_half_way_leaves_nothing(
        self, site: Site, break_next: ByMethod, eventually: Eventually
    ) -> None:
        require_flag(site.cpi.info(), "disks")
        break_next("create_disk")
        self._assert_fails(site.disk)
        eventually(site.disk_ids, [])
        eventually(site.disk_ids, [site.disk().id])

    def test_a_deletion_that_fails_half_way_can_be_repeated(
        self, site: Site, break_next: ByMethod, eventually: Eventually
    ) -> None:
        made = site.create()
        break_next("delete_vm")
        self._assert_fails(lambda: site.cpi.delete_vm(made.id))
        site.cpi.delete_vm(made.id)
        eventually(site.ids, [])

    def test_a_machine_whose_creation_was_not_answered_is_not_made_twice(
        self, site: Site, lose_answer: ByMethod, eventually: Eventually
    ) -> None:
        lose_answer("create_vm")
        self._call_unanswered(site.create)
        made = site.running()
        eventually(site.ids, [made.id])

    def test_a_disk_whose_creation_was_not_answered_is_not_made_twice(
        self, site: Site, lose_answer: ByMethod, eventually: Eventually
    ) -> None:
        require_flag(site.cpi.info(), "disks")
        lose_answer("create_disk")
        self._call_unanswered(site.disk)
        eventually(site.disk_ids, [site.disk().id])

    def test_attaching_and_deleting_may_be_repeated_when_they_were_not_answered(
        self, site: Site, lose_answer: ByMethod, eventually: Eventually
    ) -> None:
        require_flag(site.cpi.info(), "disks")
        disk, vm = site.disk(), site.running("etcd/0")
        calls: tuple[tuple[str, Callable[[], None]], ...] = (
            ("attach_disk", lambda: site.disks.attach_disk(vm.id, disk.id)),
            ("detach_disk", lambda: site.disks.detach_disk(vm.id, disk.id)),
            ("delete_disk", lambda: site.disks.delete_disk(disk.id)),
            ("delete_vm", lambda: site.cpi.delete_vm(vm.id)),
        )
        for method, call in calls:
            lose_answer(method)
            self._call_unanswered(call)
            call()
        eventually(site.disk_ids, [])
        eventually(site.ids, [])

    def test_no_room_is_quota_exceeded_and_not_worth_another_try(
        self, site: Site, exhaust_quota: Hook, eventually: Eventually
    ) -> None:
        made = site.create("worker/1")
        exhaust_quota()
        error = error_of(site.create, QuotaExceeded)
        assert_is_final(error)
        assert_is_one_sentence(error)
        eventually(site.ids, [made.id])

    def test_a_call_too_many_is_told_when_to_come_back(
        self, site: Site, throttle: Hook, eventually: Eventually
    ) -> None:
        throttle()
        error = error_of(site.create, ProviderError)
        assert error.retry_after is not None, "it says never to ask again"
        assert error.retry_after > 0
        assert_is_one_sentence(error)
        site.clock.sleep(error.retry_after)
        eventually(site.ids, [site.create().id])

    def test_wrong_credentials_are_an_auth_error_and_not_worth_another_try(self, site: Site, locked_out: Cpi) -> None:
        error = error_of(partial(locked_out.list_vms, site.cluster), AuthError)
        assert_is_final(error)
        assert_is_one_sentence(error)

    def test_nothing_it_shows_raises_or_logs_holds_a_secret(
        self, site: Site, secrets: tuple[str, ...], caplog: pytest.LogCaptureFixture
    ) -> None:
        if not secrets:
            not_offered("secrets", "names what must not be shown")
        with caplog.at_level("DEBUG"):
            vm = site.running()
            shown = f"{site.cpi!r} {site.cpi.info()!r} {vm!r} {site.cpi.list_vms(site.cluster)!r} "
            shown += self._errors_of(site.cpi, site)
        assert not [word for word in secrets if word in shown], "a secret is shown or raised"
        assert not [word for word in secrets if word in caplog.text], "a secret is logged"

    def _errors_of(self, cpi: Cpi, site: Site) -> str:
        """What the errors say that any CPI can be brought to raise, with the errors behind them."""
        told = []
        calls: list[Callable[[], object]] = [lambda: cpi.reboot_vm("kubo-contract-no-such-machine")]
        if cpi.info().disks:
            disks: DiskCpi = site.disks
            calls += [
                lambda: disks.attach_disk("kubo-contract-no-such-machine", "kubo-contract-no-such-disk"),
                lambda: site.create("worker/9", disks=("kubo-contract-no-such-disk",)),
            ]
        for call in calls:
            error: BaseException | None = error_of(call, KuboError)
            while error is not None:
                told.append(f"{error} {error!r}")
                error = error.__cause__ or error.__context__
        return " ".join(told)

    def _assert_fails(self, call: Callable[[], object]) -> None:
        assert_is_one_sentence(error_of(call, KuboError))

    def _call_unanswered(self, call: Callable[[], object]) -> None:
        """Make the call and never learn what came of it."""
        try:
            call()
        except Unavailable as error:
            assert error.retry_after is not None  # noqa: PT017
