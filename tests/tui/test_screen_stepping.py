"""Stepping on the screen, with the scenario in its real process."""

from __future__ import annotations

import re

import pytest
from screen_driver import Cells, Driver, stepping
from tui_support import COMPLETE, TRAINED

SIZES = [(80, 24), (120, 40)]


@pytest.mark.parametrize("size", SIZES)
async def test_the_first_frame_shows_all_that_is_needed_to_step(size: tuple[int, int]) -> None:
    async with stepping("mlp", size) as driver:
        await driver.shows(
            "784-64-64-10 on 5,000 embedded MNIST images",
            "waits",
            "ready",
            "shown",
            "done",
            "One batch of MNIST, backwards",
            " Next  node 0, loss",
        )
        lines = driver.lines()
        assert lines[0].startswith(" mlp  ")
        assert lines[0].endswith(f"0 of {driver.steps()} done")
        for key in ("n next", "p back", "s into", "c continue", "t train", "? keys", "q quit"):
            assert key in lines[-1]
        driver.assert_fits()


async def test_the_first_frames_of_the_other_trainings_say_which_batch_it_is() -> None:
    for scenario, batch in (("mlp_adam", "im…  batch 1 of 63"), ("cnn", "images  batch 1 of 125")):
        async with stepping(scenario) as driver:
            await driver.shows("Look for")
            header = driver.lines()[0]
            assert batch in header
            assert header.endswith(f"0 of {driver.steps()} done")
            await driver.until(
                lambda: re.search(r" 0 .* \+ cross_entropy.* 1$", driver.rail()[0]), "the seed"
            )


async def test_no_shape_in_the_first_frame_is_cut_off() -> None:
    async with stepping("mlp") as driver:
        # It may take a moment until the panes have their widths, but not until the next key.
        await driver.until(
            lambda: all(row.count("(") == row.count(")") for row in driver.rail()),
            "each shape to have its closing parenthesis",
        )
        await driver.until(
            lambda: re.search(r" 0 .* loss = sum / 64 = \d\.\d+ +1$", driver.rail()[0]), "the loss"
        )


async def test_next_takes_one_step_and_explains_it() -> None:
    async with stepping("first_graph") as driver:
        for steps in range(1, 5):
            await driver.press("n")
            await driver.done(steps)
        await driver.shows("d = a * b", "node 3, just done", "multiply_back0", "multiply_back1")
        await driver.shows("grad_out = dL/dd = 1          complete")
        pane = driver.pane()
        assert any(re.fullmatch(r"grad_out \* b  =  1 \* 2 += +2", line) for line in pane)
        assert any(re.fullmatch(r"b so far, from e \(node 1\) +1", line) for line in pane)
        assert any(re.fullmatch(r"b now, complete +7", line) for line in pane)
        assert " Next  node 4, b: a leaf that requires grad, so b.grad becomes 7." in driver.lines()


async def test_at_the_end_every_leaf_has_its_gradient() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("c")
        await driver.done(6)
        await driver.shows(" Next  nothing: every step is done")
        for leaf, grad in (("c = 3", 1), ("b = 2", 7), ("a = 6", 2)):
            await driver.until(
                lambda leaf=leaf, grad=grad: any(
                    re.search(rf"[●►] +{leaf} +{grad}\s*$", row) for row in driver.rail()
                ),
                f"{leaf} with the gradient {grad}",
            )
        await driver.press("n", "s", "c", "p")  # nothing more to take; then one back
        await driver.done(5)


@pytest.mark.parametrize(("scenario", "size"), [("mlp", (80, 24)), ("first_graph", (40, 12))])
async def test_next_and_back_give_the_same_screen_cell_for_cell(
    scenario: str, size: tuple[int, int]
) -> None:
    async with stepping(scenario, size) as driver:
        await driver.settled()
        total = driver.steps()
        frames: list[Cells] = []
        while (done := driver.steps_done()) < total:
            await driver.pilot.pause()
            frames.append(driver.cells())
            await driver.press("n")
            await driver.until(lambda done=done: driver.steps_done() > done, "a step")
            after = driver.steps_done()
            await driver.press("p")
            await driver.is_back_at(frames[-1], f"n and p at {done} of {total}")
            await driver.press("n")
            await driver.done(after)
        while frames:
            await driver.press("p")
            await driver.is_back_at(frames.pop(), f"back from the end to {len(frames)}")


async def test_back_also_brings_back_a_cursor_that_was_elsewhere() -> None:
    async with stepping("mlp") as driver:
        await driver.press("n", "n", "end")
        await driver.done(2)
        await driver.shows("inputs")
        before = await driver.settled()
        await driver.press("n")
        await driver.done(8)
        await driver.press("p")
        await driver.is_back_at(before, "n and p with the cursor on the last node")


async def test_into_shows_the_formula_first_and_then_the_result() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("n", "n", "n")
        await driver.done(3)
        before = await driver.settled()
        await driver.press("s")
        await driver.shows("node 3, under way", "s shows what multiply_back0 gives")
        first = await driver.settled()
        assert any(re.fullmatch(r"grad_out \* b  =  1 \* 2 += +\?", x) for x in driver.pane())
        assert "multiply_back1" not in "\n".join(driver.pane())
        assert " 3 of 6 done" in driver.lines()[0]

        await driver.press("s")
        await driver.shows("s goes to argument 1, b")
        assert any(re.fullmatch(r"grad_out \* b  =  1 \* 2 += +2", x) for x in driver.pane())

        await driver.press("p")
        await driver.is_back_at(first, "p undoes one press of s")
        await driver.press("p")
        await driver.is_back_at(before, "p undoes the other press of s")


async def test_into_to_the_end_of_a_node_shows_what_next_shows() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("n", "n", "n", "n")
        await driver.done(4)
        at_once = await driver.settled()
        await driver.press("p", "s")
        await driver.shows("node 3, under way")
        await driver.press("s", "s", "s")
        await driver.is_back_at(at_once, "four times s, once n")
        await driver.press("p")
        await driver.shows("node 3, under way")
        await driver.press("n")  # finishes the step that is under way
        await driver.is_back_at(at_once, "n after three times s")


async def test_restart_gives_the_first_frame_again() -> None:
    async with stepping("first_graph") as driver:
        before = await driver.settled()
        await driver.press("c")
        await driver.done(6)
        await driver.press("r")
        await driver.is_back_at(before, "c and r")


async def test_keys_that_were_typed_ahead_are_carried_out_in_their_order() -> None:
    async with stepping("first_graph") as driver:
        await driver.press(*"nnnnpppnn")
        await driver.done(3)
        await driver.press("c", "r", "n")
        await driver.done(1)


async def test_continue_goes_to_the_end_also_when_a_key_follows_at_once() -> None:
    async with stepping("mlp") as driver:
        total = driver.steps()
        await driver.press("c", "p")
        await driver.done(total - 1)


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_a_sentence_that_does_not_fit_is_seen_to_be_cut(size: tuple[int, int]) -> None:
    async with stepping("mlp", size) as driver:
        total = driver.steps()
        for keys, steps in (("n", 1), ("c", total)):
            await driver.press(*keys)
            await driver.done(steps)
            await driver.settled()
            assert driver.lines()[-2].endswith((".", "…")), driver.lines()[-2]


async def test_back_at_the_start_does_nothing() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("p", "p", "n")
        await driver.done(1)


async def shows_node(driver: Driver, node: int) -> None:
    """Wait until the pane is on a node."""
    await driver.until(
        lambda: any(re.search(rf"\bnode {node}(,.*)?$", x) for x in driver.pane()[:2]),
        f"node {node} in the pane",
    )


async def test_the_cursor_shows_tensors_and_escape_goes_back_to_the_step() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("n", "n")
        await driver.done(2)
        before = await driver.settled()
        for keys, node in (
            (["down"], 2),
            (["j"], 3),
            (["up"], 2),
            (["k", "k"], 0),
            (["pagedown"], 5),
            (["pageup"], 0),
            (["end"], 5),
            (["home"], 0),
        ):
            await driver.press(*keys)
            await shows_node(driver, node)
        await driver.shows("value", "gradient, complete")
        assert " 2 of 6 done" in driver.lines()[0]
        await driver.press("escape")
        await driver.is_back_at(before, "Esc after moving the cursor")


@pytest.mark.parametrize("size", SIZES)
async def test_the_cursor_moves_by_a_page_through_a_long_graph(size: tuple[int, int]) -> None:
    async with stepping("mlp", size) as driver:
        await driver.press("end")
        await driver.shows("needs no grad: no step")
        await driver.press("home")
        await driver.hides("needs no grad: no step")
        await driver.shows(" 0 ○")
        await driver.press("pagedown", "pagedown", "pagedown")
        await driver.shows("needs no grad: no step")
        driver.assert_fits()


async def test_enter_runs_to_the_cursor_in_either_direction() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("down", "down", "down", "enter")
        await driver.done(4)
        await driver.shows("node 3, just done")
        await driver.press("up", "up", "enter")
        await driver.done(2)
        await driver.shows("node 1, just done")
        await driver.press("enter", "n")
        await driver.done(3)


async def test_enter_on_a_node_that_needs_no_grad_says_why_not() -> None:
    async with stepping("mlp") as driver:
        await driver.press("end", "enter")
        await driver.shows("needs no grad: it is no step to run to")
        await driver.done(0)


async def test_a_key_without_a_meaning_is_told_so_until_the_next_key() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("Z")
        await driver.shows("Z has no meaning here; ? shows the keys")
        await driver.press("n")
        await driver.done(1)
        await driver.hides("has no meaning")
        await driver.press("at")
        await driver.shows("@ has no meaning here")


async def test_a_scenario_without_a_training_says_so() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("t")
        await driver.shows("this scenario has no training")
        await driver.press("n")
        await driver.done(1)
        await driver.hides("this scenario has no training")


async def test_a_click_points_at_a_node_and_the_wheel_moves_on() -> None:
    async with stepping("first_graph") as driver:
        await driver.pilot.click("#rail", offset=(12, 4))
        await shows_node(driver, 3)
        await driver.pilot.click("#rail", offset=(2, 7 + 1))  # below the last row: nothing
        rail = driver.app.screen.query_one("#rail")
        rail.on_mouse_scroll_down()  # type: ignore[attr-defined]
        await shows_node(driver, 4)
        rail.on_mouse_scroll_up()  # type: ignore[attr-defined]
        await shows_node(driver, 3)
        await driver.press("enter")
        await driver.done(4)


async def test_one_numbering_everywhere() -> None:
    async with stepping("first_graph") as driver:
        for node in range(6):
            await driver.press("n")
            await driver.done(node + 1)
            await driver.shows(f"node {node}, just done")
            await driver.until(
                lambda node=node: re.match(rf" {node} .*►", driver.rail()[node]), "the glyph"
            )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scenario", [name for name in COMPLETE if name not in TRAINED])
async def test_the_lessons_can_be_stepped_through(
    scenario: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("N", "30")  # the length of `deep`
    async with stepping(scenario, size) as driver:
        await driver.shows("Look for")
        assert "…" not in "".join(driver.pane()) or size != (80, 24)
        total = driver.steps()
        for position in range(total):
            await driver.press("n")
            await driver.done(position + 1)
            driver.assert_fits()
        await driver.shows("nothing: every step is done")


async def test_a_message_that_is_longer_than_a_line_gets_a_page() -> None:
    async with stepping("inplace") as driver:
        await driver.press("n", "n")
        await driver.done(2)
        await driver.shows("node 1, just done")
        before = await driver.settled()
        for key in ("n", "s", "c"):
            await driver.press(key)
            await driver.shows("node 2, out = w2 * hidden: multiply saved argument 0", "line 27")
            await driver.shows("Esc closes this page")
            driver.assert_fits()
            await driver.press("escape")
            await driver.is_back_at(before, f"the step after {key}")
        await driver.press("p")
        await driver.done(1)


async def test_where_rows_are_few_a_step_under_way_shows_what_was_told_last() -> None:
    async with stepping("first_graph", size=(40, 12)) as driver:
        await driver.press(*"nnn")
        await driver.done(3)
        await driver.press("s")
        await driver.shows("node 3, under way", "to a, argument 0", "grad_out * b  =  1 * 2  =")
        await driver.press("s", "s")
        await driver.shows("node 3, under way", "to b, argument 1", "grad_out * a  =  1 * 6  =")
        driver.assert_fits()
        await driver.press("p", "p")
        await driver.shows("to a, argument 0")
        await driver.hides("to b, argument 1")
