"""What every CPI promises about the way onto its machines.  Part of `CpiContract`.

The commands it runs are few: true, cat, sleep, id -u, sh -c 'echo one; echo two >&2; exit 7', and sh -c 'cat > PATH'.
"""

from __future__ import annotations

import os

from kubo_sdk.errors import NotFound, Unavailable
from kubo_sdk.testing.contracts.contract import assert_is_final, assert_is_one_sentence, at_once, error_of
from kubo_sdk.testing.contracts.cpi_site import CpiSite, Site

PASSWORD = b"hunter2-on-standard-input"


class CpiShell(CpiSite):
    """Running commands."""

    def test_a_command_that_succeeds_leaves_a_zero(self, site: Site) -> None:
        outcome = site.cpi.open_shell(site.running()).run(["true"])
        assert outcome.exit_code == 0

    def test_bytes_go_in_and_come_out_unchanged(self, site: Site) -> None:
        self.require_commands()
        sent = os.urandom(1 << 20)
        outcome = site.cpi.open_shell(site.running()).run(["cat"], stdin=sent)
        assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, sent, b"")

    def test_the_exit_code_and_both_streams_are_the_commands_own(self, site: Site) -> None:
        self.require_commands()
        outcome = site.cpi.open_shell(site.running()).run(["sh", "-c", "echo one; echo two >&2; exit 7"])
        assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (7, b"one\n", b"two\n")

    def test_commands_run_as_root(self, site: Site) -> None:
        self.require_commands()
        assert site.run(site.running(), "id", "-u").strip() == b"0"

    def test_arguments_arrive_as_they_were_given(self, site: Site) -> None:
        self.require_commands()
        strange = ("two words", "$HOME", "a;b", "'\"", "*", "")
        printed = site.run(site.running(), "sh", "-c", 'printf "%s\\n" "$@"', "sh", *strange)
        assert printed.decode().split("\n")[:-1] == list(strange)

    def test_commands_run_beside_each_other(self, site: Site) -> None:
        self.require_commands()
        shell = site.cpi.open_shell(site.running())
        printed = at_once(lambda n: shell.run(["cat"], stdin=str(n).encode()).stdout, range(16))
        assert printed == [str(n).encode() for n in range(16)]

    def test_a_command_that_takes_too_long_is_unavailable_and_worth_another_try(self, site: Site) -> None:
        self.require_commands()
        shell = site.cpi.open_shell(site.running())
        error = error_of(lambda: shell.run(["sleep", "30"], stdin=PASSWORD, timeout=0.5), Unavailable)
        assert error.retry_after is not None
        assert_is_one_sentence(error)
        assert PASSWORD.decode() not in f"{error} {error!r}"
        assert shell.run(["true"]).exit_code == 0

    def test_files_survive_a_reboot(self, site: Site) -> None:
        self.require_commands()
        vm = site.running()
        site.run(vm, "sh", "-c", "cat > /etc/kubo-contract", stdin=b"kept")
        site.cpi.reboot_vm(vm.id)
        site.await_boot(vm)
        assert site.run(vm, "cat", "/etc/kubo-contract") == b"kept"

    def test_a_machine_that_is_gone_is_not_found(self, site: Site) -> None:
        vm = site.running()
        shell = site.cpi.open_shell(vm)
        site.cpi.delete_vm(vm.id)
        error = error_of(lambda: shell.run(["true"]), NotFound)
        assert_is_final(error)
        assert_is_one_sentence(error)
        assert_is_final(error_of(lambda: site.cpi.open_shell(vm).run(["true"]), NotFound))
