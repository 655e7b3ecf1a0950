"""What the screen waits for, by a clock of the test's own."""

from __future__ import annotations

from tui.waiting import AFTER_A_SIGN, SHOWN_AFTER, Waiting


class Clock:
    """A time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def waiting() -> tuple[Waiting, Clock]:
    clock = Clock()
    return Waiting(clock), clock


def test_nothing_is_waited_for_that_was_not_asked_for() -> None:
    asked, clock = waiting()
    clock.now += 1000
    assert (asked.due_in, asked.is_overdue) == (None, False)


def test_an_answer_is_overdue_after_a_while() -> None:
    asked, clock = waiting()
    asked.sent(1, "next", "n")
    assert asked.due_in == SHOWN_AFTER
    clock.now += SHOWN_AFTER / 2
    asked.sent(2, "back", "p")
    assert asked.due_in == SHOWN_AFTER / 2
    clock.now += SHOWN_AFTER / 2
    assert asked.is_overdue
    assert asked.what == "n"
    asked.answered(2)
    assert asked.due_in is None


def test_the_next_command_begins_when_the_one_before_is_answered() -> None:
    asked, clock = waiting()
    asked.sent(1, "next", "n")
    asked.sent(2, "back", "p")
    clock.now += 0.4
    asked.heard()
    asked.answered(1)
    assert asked.due_in == SHOWN_AFTER
    assert asked.what == "p"


def test_a_sign_of_life_gives_it_more_time() -> None:
    asked, clock = waiting()
    asked.sent(1, "verify_all", "V")
    clock.now += 0.4
    asked.heard()
    assert asked.due_in == AFTER_A_SIGN
    clock.now += AFTER_A_SIGN
    assert asked.is_overdue


def test_what_the_screen_asks_by_itself_has_no_name() -> None:
    asked, _ = waiting()
    asked.sent(1, "size", "")
    assert asked.what == "the scenario"
    asked.sent(2, "next", "n")
    assert asked.what == "n"


def test_a_running_training_is_waited_for_unasked() -> None:
    asked, clock = waiting()
    asked.trains_on("batch 7")
    asked.heard()
    assert (asked.due_in, asked.what) == (AFTER_A_SIGN, "batch 7")
    clock.now += AFTER_A_SIGN
    assert asked.is_overdue
    asked.trains_on("")
    assert asked.due_in is None


def test_a_new_process_owes_nothing() -> None:
    asked, clock = waiting()
    asked.sent(1, "next", "n")
    asked.trains_on("batch 7")
    clock.now += 10
    asked.start()
    assert asked.due_in is None


def test_what_is_under_way_is_known_by_its_commands() -> None:
    asked, _ = waiting()
    asked.sent(1, "training.batch", "n")
    asked.sent(2, "size", "")
    assert asked.under_way == ["training.batch", "size"]
    asked.answered(1)
    assert asked.under_way == ["size"]
