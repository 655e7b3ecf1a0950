"""A training in words: each epoch, the batch that it has come to, what can be done next."""

from __future__ import annotations

import itertools
from typing import Any

Json = dict[str, Any]

NOTHING = "-"
"""In a column of the table of parameters."""

NEXT = {
    "paused": "c runs, n trains on one batch, s steps through its backward pass.",
    "running": "Ctrl+C pauses.",
    "stopped": "c goes on, r starts again, Esc steps with these weights.",
    "finished": "Esc steps with the trained weights, r starts again.",
    "failed": "R reads the file afresh.",
}


def since(before: Json | None, now: Json) -> list[str]:
    """What is new; all of it where nothing was told before."""
    lines = epochs(before, now)
    if before is None:
        lines += [*_data(now), _optimizer(now)]
    else:
        lines += _data(now) if now["note"] != before["note"] else []
        lines += [_optimizer(now)] if _optimizer(now) != _optimizer(before) else []
    if now["batch"] and (before is None or now["batch"] != before["batch"]):
        lines.append(batch(now))
    if now["stopped"] and (before is None or now["stopped"] != before["stopped"]):
        lines.append(f"stopped after batch {now['stopped']['batch']}{_tested(now['stopped'])}")
    lines += _parameters(before, now)
    if before is None or standing(now) != standing(before):
        lines.append(standing(now))
    return lines


def results_with(known: list[Json], sent: list[Json]) -> list[Json]:
    """The results of all epochs so far; those that are sent are the last ones, and new in part."""
    if not sent:
        return []
    return [result for result in known if result["epoch"] < sent[0]["epoch"]] + sent


def epochs(before: Json | None, now: Json) -> list[str]:
    """The epochs that have ended, but for those told before: also where batches were taken back."""
    results = now["results"]
    known = before["results"] if before else []
    told = len(known)
    if before and before["batch"] > now["batch"]:
        pairs = zip(known, results, strict=False)
        told = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))
    return [
        f"epoch {result['epoch']} of {now['epochs']}: training loss "
        f"{_loss(result['train_loss'])}{_tested(result)}"
        for result in results[told:]
    ]


def batch(view: Json) -> str:
    """The last batch, with its loss."""
    text = f"batch {view['batch']} of {view['total']}: loss {view['last_loss']}"
    if view["recent"] > 1:
        text += f", mean of the last {view['recent']} {view['recent_loss']}"
    return text


def standing(view: Json) -> str:
    """Whether it runs, how fast, and what can be done."""
    state = view["state"]
    if state in ("paused", "running"):
        state += f", {view['pace']}"
    return f"{state}. Next: {NEXT[view['state']]}"


def _optimizer(view: Json) -> str:
    return f"{view['optimizer']}, learning rate {view['lr']}"


def _parameters(before: Json | None, now: Json) -> list[str]:
    """What is new of the table of parameters: its warnings; all of it where nothing was told."""
    table = now["monitor"]
    if before is None:
        told = [_parameter(row) for row in table["rows"] if row["grad"]]
        if table["more"]:
            told.append(f"{table['more']:,} more parameters: w tells of all")
        loss = [f"Problem: {table['loss']['words']}"] if table["loss"]["warns"] else []
        return [*loss, *told, *_slope(table)] if told else []
    known = {row["name"]: row["words"] for row in before["monitor"]["rows"] if row["warns"]}
    lines = [
        f"Problem: {row['name']}: {row['words']}"
        for row in table["rows"]
        if row["warns"] and known.get(row["name"]) != row["words"]
    ]
    if table["loss"]["warns"] and not before["monitor"]["loss"]["warns"]:
        lines.insert(0, f"Problem: {table['loss']['words']}")
    wrong = table["slope"]["level"] == "wrong"
    news = table["slope"] != before["monitor"]["slope"]
    return [*lines, *(_slope(table) if wrong and news else [])]


def _parameter(row: Json) -> str:
    words = [f"gradient norm {row['grad']}"]
    if row["update"] != NOTHING:
        words.append(f"update {row['update']} of the value")
    if row["zeros"] != NOTHING:
        words.append(f"{row['zeros']} of the gradient is 0")
    text = f"{row['name']}: {', '.join(words)}"
    if row["words"]:
        text += f"; {row['words']}"
    return f"Problem: {text}" if row["warns"] else text


def _slope(table: Json) -> list[str]:
    mark = "Problem: " if table["slope"]["level"] == "wrong" else ""
    return [f"{mark}slope: {table['slope']['words']}"]


def _data(view: Json) -> list[str]:
    if view["note"]:
        return [view["note"]]
    hint = f"; {view['hint']}" if view["hint"] else ""
    return [f"data: {view['data']}{hint}"] if view["data"] else []


def _tested(result: Json) -> str:
    """What the test data gave, where there are any."""
    text = ""
    if result["test_loss"] is not None:
        text = f", test loss {_loss(result['test_loss'])}"
    if result["test_accuracy"] is not None:
        text += f", test accuracy {result['test_accuracy']:.1%}".replace("%", " %")
    return text


def _loss(loss: float | str) -> str:
    return loss if isinstance(loss, str) else f"{loss:.4g}"
