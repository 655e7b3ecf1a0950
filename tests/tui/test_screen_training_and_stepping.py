"""From the training screen to stepping and back, again and again, on the screen."""

from __future__ import annotations

import re

from screen_driver import stepping, training
from training_screen_support import LONG, SHORT, loss_in_the_rail

from tui.screens.stepping import SteppingScreen
from tui.screens.training import TrainingScreen


async def test_the_same_batches_with_and_without_stepping_between_them() -> None:
    async with training(**SHORT) as driver:
        await driver.press("n", "n", "n")
        await driver.shows("loss of batch 3 ")
        straight = await driver.settled()
    async with training(**SHORT) as driver:
        for batch in range(1, 4):
            await driver.press("n")
            await driver.shows(f"loss of batch {batch} ")
            if batch < 3:
                await driver.press("escape")
                await driver.done(0)
                await driver.press("c")
                await driver.done(driver.steps())
                await driver.press("t")
                await driver.shows("learning rate")
        await driver.is_back_at(straight, "three batches with steps between them")


async def test_into_steps_through_the_next_batch() -> None:
    async with training(**SHORT) as driver:
        await driver.press("n", "n", "s")
        await driver.done(0)
        assert "batch 3 of 8" in driver.lines()[0]
        assert re.search(r"batch 3 of 8 {2,}0 of", driver.lines()[0])


async def test_the_header_keeps_its_two_parts_apart() -> None:
    async with training(batch_size=64, epochs=1) as driver:
        await driver.press(*["n"] * 10, "escape")
        await driver.done(0)
        await driver.press("c")
        total = driver.steps()
        await driver.done(total)
        assert re.search(rf"batch 11 of 63(…| {{2,}}){total} of {total} done$", driver.lines()[0])


async def test_the_shapes_are_whole_after_coming_back_from_the_training() -> None:
    async with training(**SHORT) as driver:
        await driver.press("n", "escape")
        await driver.done(0)
        await driver.until(
            lambda: all(row.count("(") == row.count(")") for row in driver.rail()),
            "each shape to have its closing parenthesis",
        )


async def test_a_batch_starts_without_the_gradients_of_the_one_before() -> None:
    # As every loop of training does: zero_grad, backward, step.
    async with training(**SHORT) as driver:
        await driver.press("n", "escape")
        await driver.done(0)
        await driver.press("c")
        await driver.done(driver.steps())
        # A pane that has just been made narrower is laid out anew after its first frame.
        await driver.until(
            lambda: any(re.search(r"\.grad before {2,}None$", line) for line in driver.pane()),
            "the gradient of before to be None",
        )


async def test_reload_starts_with_untrained_weights() -> None:
    async with stepping("mlp", **SHORT) as driver:
        untrained = await loss_in_the_rail(driver)
        await driver.press("t")
        await driver.shows("learning rate")
        await driver.press(*["plus"] * 3, "c")
        await driver.shows("done; Esc steps")
        await driver.press("escape")
        await driver.done(0)
        assert await loss_in_the_rail(driver) != untrained
        await driver.press("R")
        await driver.shows(f"loss = {untrained} ")


async def test_keys_typed_ahead_go_to_the_screen_that_the_first_of_them_opens() -> None:
    # Over a slow line `t` and `c` arrive together; c means run to who types it after t.
    async with stepping("mlp", **LONG) as driver:
        await driver.press("t", "c")
        await driver.shows("running")


async def test_what_comes_too_late_for_a_screen_is_ignored() -> None:
    # The process goes on sending while the screen that showed it goes away; so do callbacks.
    async with stepping("mlp", **SHORT) as driver:
        gone = [driver.app.screen]
        await driver.press("t")
        await driver.shows("learning rate")
        gone.append(driver.app.screen)
        await driver.press("escape")
        await driver.done(0)
        gone.append(driver.app.screen)
        await driver.press("o")
        await driver.shows("Pick a scenario")
        await driver.press("enter")
        await driver.hides("Pick a scenario")
        for screen in gone:
            assert isinstance(screen, SteppingScreen | TrainingScreen)
            assert screen not in driver.app.screen_stack
            screen.show_view(screen._view)
            screen.draw_body()
            screen.notice("too late")
            screen.refresh_log()
        await driver.press("n")
        await driver.done(1)


async def test_leaving_and_coming_back_again_and_again_while_it_runs() -> None:
    # Messages that are under way when the screen changes find another one, or none.
    async with training(**LONG) as driver:
        for _ in range(4):
            await driver.press("c")
            await driver.shows("running")
            await driver.press("escape")
            await driver.done(0)
            await driver.press("t")
            await driver.shows("paused", "learning rate")
        await driver.press("c")
        await driver.shows("running")
        await driver.press("o")
        await driver.shows("Pick a scenario")
        await driver.pilot.pause(0.3)
        await driver.press("escape")
        await driver.shows("running")
