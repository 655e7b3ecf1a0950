"""From a loaded scenario to a graph that can be stepped."""

from __future__ import annotations

import itertools
from typing import Any

import engine
from scenarios import data
from tui.errors import ScenarioError
from tui.loading.loader import Scenario, look_ahead
from tui.loading.warned import noted
from tui.session.engine_graph import EngineGraph
from tui.session.names import module_names, named_tensors


def open_graph(scenario: Scenario) -> EngineGraph:
    """The graph of a scenario's `loss`, or of the next batch of its training.

    Raises:
        ScenarioError: the graph cannot be stepped through.
    """
    named = named_tensors(scenario.namespace, scenario.training, scenario.source)
    loss, end_grad = scenario.loss, scenario.end_grad
    ahead = None
    if scenario.training is not None:
        # As the training does before each batch: what the last one left is not added to.
        scenario.training.optimizer.zero_grad()
        with noted() as scenario.warned_ahead:
            ahead = look_ahead(scenario.path, scenario.training)
        named += [("loss", ahead.loss), ("inputs", ahead.inputs), ("labels", ahead.labels)]
        loss, end_grad = ahead.loss, None
    assert loss is not None
    try:
        return EngineGraph(
            loss,
            end_grad,
            {id(tensor): name for name, tensor in named},
            module_names(scenario.namespace, scenario.training),
            str(scenario.path),
            [tensor for _, tensor in named],
            ahead,
        )
    except (engine.CycleError, engine.ShapeError, TypeError) as error:
        raise ScenarioError(str(error), str(scenario.path)) from None
    except (ValueError, RuntimeError) as error:
        raise ScenarioError(
            f"`loss` and `end_grad` cannot start a backward pass: {error}", str(scenario.path)
        ) from None


def about(scenario: Scenario) -> str:
    """A few words for the header: the layers' sizes, and the data they are trained on."""
    training = scenario.training
    if training is None:
        return scenario.title
    words = _layer_sizes(training.model)
    usage = data.in_use()
    if usage is not None:
        part = "embedded " if usage.source == "embedded" else ""
        words.append(f"on {usage.train + usage.test:,} {part}MNIST images")
    return " ".join(words) + f"  {_batch_in_words(training)}"


def _batch_in_words(training: engine.Training) -> str:
    """The next batch (at the end: the last), counted through the whole training; of how many only
    where that says the same of its epoch."""
    batch = min(training.position + 1, training.total_batches)
    if batch <= training.batches_per_epoch:
        return f"batch {batch} of {training.batches_per_epoch}"
    return f"batch {batch}"


def _layer_sizes(model: Any) -> list[str]:
    """`784-64-64-10` where the linear layers follow each other; of a convolutional network
    `conv 1-8-16`, the channels, where the convolutions do; nothing elsewhere."""
    if not isinstance(model, engine.Module):  # any function will do for a training
        return []
    modules = [module for _, module in model.named_modules()]
    convs = [(m.in_channels, m.out_channels) for m in modules if isinstance(m, engine.Conv2d)]
    if convs:
        return [f"conv {sizes}"] if (sizes := _chained(convs)) else []
    layers = [(m.in_features, m.out_features) for m in modules if isinstance(m, engine.Linear)]
    return [sizes] if (sizes := _chained(layers)) else []


def _chained(layers: list[tuple[int, int]]) -> str:
    """The sizes along layers that follow each other; empty where they do not."""
    if not layers or any(a[1] != b[0] for a, b in itertools.pairwise(layers)):
        return ""
    return "-".join(str(n) for n in [layers[0][0], *(out for _, out in layers)])
