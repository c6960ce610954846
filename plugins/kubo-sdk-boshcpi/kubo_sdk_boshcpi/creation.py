"""Creation: asks the CPI to create one thing, so that no death of anybody leaves it behind unseen."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from attrs import frozen

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import KuboError
from kubo_sdk_boshcpi.client import Client, LostAnswer
from kubo_sdk_boshcpi.executable import TimedOut, left_answer, mark_of
from kubo_sdk_boshcpi.ledger import Entry, Ledger

log = logging.getLogger(__name__)

Complete = Callable[[Entry, Any], Entry]


@frozen
class Creation:
    """One method that creates.  *complete* puts what it answers into an entry; LostAnswer when that is not possible.

    The caller holds the entry's lock.
    """

    ledger: Ledger
    client: Client
    method: str
    complete: Complete

    def run(self, entry: Entry, *arguments: Any) -> Entry:
        """Create what *entry* stands for.

        An error that the CPI answers means that it left nothing behind, so the entry goes.  Without an answer it stays,
        for the next `settle`.
        """
        self.ledger.write(entry)
        answer = self.ledger.answer(entry)
        try:
            result = self.client.call(self.method, *arguments, answer=answer)
        except (LostAnswer, TimedOut):
            raise
        except KuboError:
            self.ledger.remove(entry)
            raise
        return self._finish(entry, result)

    def settle(self, entry: Entry) -> Entry | None:
        """What became of a creation that was interrupted: the entry with its cid, or None when it is to be made anew.

        Waits for a CPI that outlived the process which started it.  Where the answer is lost, the thing may exist: that
        is noted below the cluster's ``doubts``, and the cluster is not disposed of before somebody has looked.
        """
        answer = self.ledger.answer(entry)
        if not answer.exists():  # it was not started
            self.ledger.remove(entry)
            return None
        content = wait_until(
            lambda: left_answer(answer),
            what=f"the end of {self.method} for {entry.instance}, begun by an earlier process,",
            timeout=self.ledger.patience,
        )
        try:
            return self._finish(entry, self.client.read(self.method, content))
        except LostAnswer:
            if not mark_of(answer).exists():  # the process died before it started anything
                self.ledger.remove(entry)
                return None
            log.warning(
                "%s for %s of cluster %s ended without an answer; what it made may be left behind: see %s",
                self.method,
                entry.instance,
                entry.owner,
                self.ledger.doubts(entry.owner),
            )
            self.ledger.doubt(entry)
        except KuboError as error:
            log.debug("an earlier %s failed: %s", self.method, error)
            self.ledger.remove(entry)
        return None

    def _finish(self, entry: Entry, result: Any) -> Entry:
        done = self.complete(entry, result)
        self.ledger.write(done)
        self.ledger.remove_answer(entry)
        return done
