"""The learning rate, the epochs and the way of a training changed while it runs; and that nothing
of this changes what it comes to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_support import REGRESSION, json_lines, load, run, write

from tui.errors import Refused
from tui.session.opening import open_graph
from tui.session.session import Session, Subject
from tui.session.training.commands import carry_out
from tui.session.training.pace import PACES
from tui.session.training.session import TrainingSession
from tui.session.training.view import view_of as view_of_columns
from tui.session.verifying.pages import verify_node

SCHEDULED = REGRESSION + (
    "training.scheduler = CosineAnnealingLR(training.optimizer, T_max={t_max})\n"
    'training.scheduler_each = "{each}"\n'
)

DRAWING = REGRESSION + (
    "model = Sequential(Linear(2, 8), BatchNorm1d(8), Dropout(0.3), Linear(8, 1))\n"
    "training = Training(model, SGD(model.parameters(), 0.05, momentum=0.9), (xs, ys), (xs, ys),\n"
    "                    mean_square, batch_size=4, epochs=9)\n"
    "training.scheduler = CosineAnnealingLR(training.optimizer, T_max=9)\n"
)
"""27 batches; random numbers, buffers, momentum and a schedule go on from batch to batch."""


def session_for(folder: Path, body: str = REGRESSION) -> TrainingSession:
    scenario = load(write(folder, body))
    assert scenario.training is not None
    session = TrainingSession(scenario.training, lambda: open_graph(scenario))
    for _ in range(10):
        session.faster()
    return session


def do(session: TrainingSession, name: str, **more: Any) -> str:
    """Carry out a command; the last notice that comes of it."""
    session.messages.clear()
    carry_out(session, name, more)
    return next((m["text"] for m in reversed(session.messages) if m["type"] == "notice"), "")


def run_on(session: TrainingSession) -> None:
    """Train as long as it runs."""
    while session.running:
        assert session.train_when_due()


def train_all(session: TrainingSession) -> list[float]:
    session.run()
    run_on(session)
    assert session.state == "finished"
    return list(session.training.losses)


def view_of(session: TrainingSession) -> dict[str, Any]:
    view = view_of_columns(session, 40)
    json.dumps(view, allow_nan=False)
    return view


# The learning rate


def test_at_its_ends_the_pace_says_so(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    said = {}
    for name, change in (("+", session.faster), ("-", session.slower)):
        for _ in range(len(PACES)):
            change()
        said[name] = session.messages[-1]["text"]
    assert said["+"] == "full speed is the quickest"
    assert said["-"].startswith("1 batch a second is the slowest")
    session.faster()
    assert str(session.pace) == "2 batches a second"


def test_it_holds_from_the_next_batch_on(tmp_path: Path) -> None:
    undisturbed = train_all(session_for(tmp_path))
    session = session_for(tmp_path)
    session.one_batch()
    told = do(session, "lr", text=" 1e-2 ")
    assert told == "learning rate 0.01 from batch 2 on; it was 0.1"
    view = view_of(session)
    assert (view["lr"], view["lr_in_full"]) == ("0.01", "0.01")
    assert view["lr_change"] == "set at batch 2, 0.1 before"
    losses = train_all(session)
    assert losses[:2] == undisturbed[:2]  # the second is computed before the first new update
    assert losses[2] != undisturbed[2]


@pytest.mark.parametrize("text", ["", "fast", "-0.1", "nan", "inf", "0,1", "0.1 0.2"])
def test_what_is_no_learning_rate_is_refused(tmp_path: Path, text: str) -> None:
    session = session_for(tmp_path)
    with pytest.raises(Refused, match=r"such as 0\.01"):
        do(session, "lr", text=text)
    assert session.training.lr == 0.1
    assert view_of(session)["lr_change"] == ""


@pytest.mark.parametrize("each", ["epoch", "batch"])
def test_the_present_one_changes_nothing_to_the_bit(tmp_path: Path, each: str) -> None:
    body = SCHEDULED.format(t_max=7, each=each)
    undisturbed = train_all(session_for(tmp_path, body))
    session = session_for(tmp_path, body)
    while session.state != "finished":
        told = do(session, "lr", text=view_of(session)["lr_in_full"])
        assert "already" in told
        session.one_batch()
    assert session.training.losses == undisturbed


def test_a_schedule_goes_on_in_proportion(tmp_path: Path) -> None:
    session = session_for(tmp_path, SCHEDULED.format(t_max=4, each="batch"))
    session.one_batch()
    scheduled = session.training.lr
    told = do(session, "lr", text=str(scheduled / 2))
    assert told.endswith("; CosineAnnealingLR goes on in proportion")
    session.one_batch()
    assert session.training.lr == pytest.approx(0.1 / 2 / 2)
    session.one_batch()
    session.one_batch()
    with pytest.raises(Refused, match="the schedule gives a learning rate of 0 now"):
        do(session, "lr", text="0.1")


def test_going_back_restores_it_as_it_was_and_says_so(tmp_path: Path) -> None:
    undisturbed = train_all(session_for(tmp_path))
    session = session_for(tmp_path)
    session.one_batch()
    session.one_batch()
    do(session, "lr", text="0.01")
    session.one_batch()
    assert do(session, "back") == ""
    assert (session.training.lr, session.training.position) == (0.01, 2)
    assert view_of(session)["lr_change"]
    assert do(session, "back") == "the learning rate is 0.1 again, as it was"
    assert (session.training.lr, view_of(session)["lr_change"]) == (0.1, "")
    do(session, "lr", text="0.02")
    assert view_of(session)["lr_change"] == "set at batch 2, 0.1 before"
    do(session, "restart")
    assert view_of(session)["lr_change"] == ""
    assert train_all(session) == undisturbed


def test_one_that_was_set_before_the_first_batch_is_gone_after_a_restart(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    do(session, "lr", text="0.01")
    session.one_batch()
    do(session, "restart")
    assert (session.training.lr, view_of(session)["lr_change"]) == (0.1, "")


# More epochs


@pytest.mark.parametrize("at", [0, 3, 6])
def test_more_epochs_are_those_of_a_longer_training(tmp_path: Path, at: int) -> None:
    longer = train_all(session_for(tmp_path, REGRESSION + "training.epochs = 5\n"))
    session = session_for(tmp_path)
    for _ in range(at):
        session.one_batch()
    assert do(session, "epochs", text="3") == "3 more epochs: 5 in all"
    assert (session.state, view_of(session)["total"]) == ("paused", 15)
    assert train_all(session) == longer
    assert len(session.training.results) == 5


def test_they_stay_after_a_restart(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    assert do(session, "epochs", text="+1") == "1 more epoch: 3 in all"
    session.restart()
    assert len(train_all(session)) == 9


@pytest.mark.parametrize("text", ["", "0", "-1", "2.5", "many", "1000000"])
def test_what_is_no_number_of_epochs_is_refused(tmp_path: Path, text: str) -> None:
    session = session_for(tmp_path)
    with pytest.raises(Refused, match="1 to 100,000"):
        do(session, "epochs", text=text)
    assert session.training.epochs == 2


@pytest.mark.parametrize(("each", "t_max"), [("epoch", 2), ("batch", 6)])
def test_what_a_schedule_does_in_them_is_told(tmp_path: Path, each: str, t_max: int) -> None:
    session = session_for(tmp_path, SCHEDULED.format(t_max=t_max, each=each))
    train_all(session)
    do(session, "epochs", text="2")
    page = session.messages[-1]
    lines = [" ".join((left, right)).strip() for _, left, right in page["items"]]
    assert page["title"] == "More epochs"
    assert lines[0] == "2 more epochs: 4 in all."
    assert any(line.startswith("CosineAnnealingLR was made for the epochs") for line in lines)
    assert any("On the way it rises, up to" in line for line in lines)
    last = next(line for line in lines if line.startswith("at the end of epoch 4"))
    while session.training.position < 11:
        session.one_batch()
    assert float(last.split()[-1]) == pytest.approx(session.training.lr, rel=1e-3)


# Running to a batch


def test_it_runs_until_so_many_batches_are_done(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    do(session, "go", text="4")
    assert (session.state, view_of(session)["target"]) == ("running", 4)
    run_on(session)
    assert (session.state, session.training.position) == ("paused", 4)
    assert view_of(session)["target"] is None
    do(session, "go", text="end")
    run_on(session)
    assert session.state == "finished"


def test_at_the_end_of_an_epoch_it_evaluates_before_it_pauses(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    do(session, "go", text="3")
    run_on(session)
    assert (session.state, len(session.training.results)) == ("paused", 1)


def test_a_break_stops_it_on_the_way(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    do(session, "change_breaks", text="3")
    do(session, "go", text="5")
    run_on(session)
    assert (session.training.position, session.target) == (2, None)


@pytest.mark.parametrize("key", ["toggle", "run", "batch", "back", "stop", "restart"])
def test_what_is_asked_meanwhile_counts_instead(tmp_path: Path, key: str) -> None:
    session = session_for(tmp_path)
    do(session, "go", text="4")
    session.train_when_due()
    do(session, key)
    assert session.target is None
    run_on(session)
    assert (session.state == "finished") == (key == "run")


def test_it_goes_back_as_far_as_is_kept(tmp_path: Path) -> None:
    session = session_for(tmp_path, REGRESSION + "training.epochs = 20\n")
    do(session, "go", text="30")
    run_on(session)
    losses = list(session.training.losses)
    do(session, "go", text="10")
    assert (session.training.position, session.state) == (10, "paused")
    assert session.training.losses == losses[:10]
    with pytest.raises(Refused) as refused:
        do(session, "go", text="9")
    assert str(refused.value) == (
        "kept are 10 to 10; r goes to the start, and then g 9 trains up to there"
    )
    with pytest.raises(Refused, match=r"r goes to the start$"):
        do(session, "go", text="start")
    do(session, "restart")
    do(session, "go", text="9")
    run_on(session)
    assert session.training.losses == losses[:9]
    assert "9 of 60" in do(session, "go", text="9")


@pytest.mark.parametrize(
    ("text", "told"), [("", "0 to 6"), ("x", "0 to 6"), ("7", "E trains"), ("-1", "0 to 6")]
)
def test_where_it_cannot_go(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(Refused, match=told):
        do(session_for(tmp_path), "go", text=text)


def test_it_does_not_go_on_where_it_has_failed(tmp_path: Path) -> None:
    session = session_for(
        tmp_path,
        REGRESSION + "def loss_fn(out, y):\n    if training.position == 2:\n        1 / 0\n"
        "    return mean_square(out, y)\ntraining.loss_fn = loss_fn\n",
    )
    do(session, "go", text="4")
    run_on(session)
    assert (session.state, session.training.position, session.target) == ("failed", 2, None)
    with pytest.raises(Refused, match="p goes back by a batch, r to the start"):
        do(session, "go", text="4")
    do(session, "go", text="1")
    assert session.state == "paused"


def test_back_says_where_it_goes_no_further(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    assert "before the first batch" in do(session, "back")
    session.run()
    session.train_when_due()
    do(session, "back")
    assert (session.state, session.training.position) == ("paused", 0)


# The same losses, whatever is asked


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[float], bytes]:
    """A scenario, and the losses and weights that `--train` comes to."""
    path = write(tmp_path_factory.mktemp("control"), DRAWING, "drawing.py")
    done = run(path, "--train", "--json")
    losses = [line["loss"] for line in json_lines(done.stdout) if line["event"] == "batch"]
    assert len(losses) == 27
    scenario = load(path)
    assert scenario.training is not None
    for _ in scenario.training.events():
        pass
    return path, losses, weights(scenario.training)


def weights(training: Any) -> bytes:
    model = training.model
    tensors = [tensor for _, tensor in (*model.named_parameters(), *model.named_buffers())]
    return b"".join(tensor.array.tobytes() for tensor in tensors)


class Hand:
    """Does what one may do to a training, and looks into each batch at which it stops."""

    def __init__(self, session: TrainingSession) -> None:
        self.session = session

    def run(self, batches: int) -> None:
        session = self.session
        session.run()
        for _ in range(batches):
            session.train_when_due()
        self.attend()

    def attend(self) -> None:
        broken, self.session.broken = self.session.broken, None
        if broken is not None:
            self.look(broken.graph)

    def look(self, graph: Any = None) -> None:
        session = self.session
        session.look()
        assert session.look_in is not None
        stepping = Session(graph or session.look_in(), Subject("x", "", "", "", "x.py", []))
        stepping.go_to(5)
        verify_node(stepping)
        stepping.back()
        stepping.go_to(stepping.graph.step_count)
        stepping.back()

    def do(self, action: str) -> None:
        session = self.session
        name, _, text = action.partition(" ")
        if name == "run":
            self.run(int(text))
        elif name == "look":
            self.look()
        elif name == "away":
            session.look_away()
        elif name == "lr":
            session.look_away()
            do(session, "lr", text=repr(session.training.lr))
        else:
            try:
                do(session, name, text=text)
            except Refused:
                return
            self.attend()


ACTIONS = (
    *("run 1", "run 4", "run 9", "batch", "back", "toggle", "pause", "stop", "restart"),
    *("go 3", "go 12", "go 20", "go start", "look", "away", "lr", "slower", "faster", "breaks"),
    *("change_breaks 2", "change_breaks 13", "change_breaks rise 1.2", "change_breaks loss < 0.3"),
    *("change_breaks norm(contribution) > 1", "change_breaks op matmul", "change_breaks nan"),
    *("change_breaks !1", "change_breaks -2", "change_breaks -1"),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(ACTIONS), max_size=14))
def test_nothing_of_it_changes_what_the_training_comes_to(
    undisturbed: tuple[Path, list[float], bytes], actions: list[str]
) -> None:
    path, losses, trained = undisturbed
    scenario = load(path)
    assert scenario.training is not None
    session = TrainingSession(scenario.training, lambda: open_graph(scenario))
    hand = Hand(session)
    for action in actions:
        hand.do(action)
        assert session.training.losses == losses[: session.training.position]
    while session.pace.seconds_until_due() or str(session.pace) != "full speed":
        session.faster()
    stops = 0
    while session.state != "finished":
        hand.run(9)
        stops += 1
        assert stops < 400
    assert session.training.losses == losses
    assert weights(session.training) == trained
