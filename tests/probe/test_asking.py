"""Questions to many at once: one that hangs holds one thread, and neither the others nor the end of the program."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import wait
from datetime import UTC, datetime, timedelta

from kubo_sdk.errors import Unavailable
from kubo_sdk.probe.asking import AskingThreads
from kubo_sdk.probe.memory import IN_TIME, Memory, trouble_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
SOON = 10.0


def test_what_hangs_is_not_asked_again_and_its_late_answer_counts() -> None:
    threads, open_door = AskingThreads(), threading.Event()
    first = threads.ask("worker/0", lambda: open_door.wait(SOON))
    assert threads.ask("worker/0", lambda: False) is first
    assert trouble_of(first) == IN_TIME
    open_door.set()
    assert first.result(SOON) is True
    assert threads.ask("worker/0", lambda: 2).result(SOON) == 2
    threads.close()


def test_others_are_answered_while_some_hang() -> None:
    threads, open_door = AskingThreads(), threading.Event()
    hanging = [threads.ask(f"hangs {number}", open_door.wait) for number in range(20)]
    answers = [threads.ask(number, lambda number=number: number) for number in range(20)]  # type: ignore[misc]
    assert [answer.result(SOON) for answer in answers] == list(range(20))
    assert not any(answer.done() for answer in hanging)
    open_door.set()
    threads.close()


def test_there_are_never_more_threads_than_allowed_and_all_questions_are_answered() -> None:
    threads, seen, lock = AskingThreads(most=3), set[str](), threading.Lock()

    def question() -> None:
        with lock:
            seen.add(threading.current_thread().name + str(threading.get_ident()))

    wait([threads.ask(number, question) for number in range(50)], SOON)
    assert 1 <= len(seen) <= 3
    threads.close()


def test_a_question_that_hangs_does_not_keep_the_program_from_ending() -> None:
    program = (
        "import threading\n"
        "from kubo_sdk.probe.asking import AskingThreads\n"
        "AskingThreads().ask('x', threading.Event().wait)\n"
        "print('done')\n"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert told.stdout == "done\n"


def test_troubles_are_one_line_and_name_errors_nobody_expected() -> None:
    threads = AskingThreads()

    def fails(error: Exception) -> str:
        def question() -> None:
            raise error

        answer = threads.ask(error, question)
        wait([answer], SOON)
        return trouble_of(answer)

    assert fails(Unavailable("it is\n  away")) == "it is away"
    assert fails(OSError("no route")) == "OSError: no route"
    threads.close()


def test_an_answer_that_comes_too_late_is_taken_by_the_next_look() -> None:
    threads, open_door = AskingThreads(), threading.Event()
    memory = Memory(who="CPI", value=0)

    def slow() -> int:
        open_door.wait(SOON)
        return 7

    memory.ask(threads, slow, NOW)
    memory.settle(0.0)
    assert (memory.value, memory.at, memory.trouble) == (0, None, IN_TIME)
    open_door.set()
    memory.settle(SOON)
    assert (memory.value, memory.at, memory.trouble) == (7, NOW, "")
    threads.close()


def test_what_was_known_stays_known_when_a_later_question_fails() -> None:
    threads = AskingThreads()
    memory = Memory(who="CPI", value=0)
    memory.ask(threads, lambda: 7, NOW)
    memory.settle(SOON)

    def fails() -> int:
        raise Unavailable("the CPI is away")

    memory.ask(threads, fails, LATER)
    memory.settle(SOON)
    assert (memory.value, memory.at, memory.trouble) == (7, NOW, "the CPI is away")
    threads.close()
