"""Trainings side by side: the bits of one after the other, own errors, one Ctrl-C for all."""

import _thread
import threading
import time

import numpy as np
import pytest
from test_trainer import CASES, assert_equal, make_trainer

from skreg.training.jobs import advance_all

SETTINGS = [*CASES.values(), {"early_stopping": True, "scoring": "r2", "batch_norm": True}]


@pytest.fixture(scope="module")
def data():
    rng = np.random.RandomState(0)
    X = rng.randn(90, 5)
    return X, X[:, 0] + 0.3 * rng.randn(90)


@pytest.mark.parametrize("n_threads", [1, 2, 5])
@pytest.mark.parametrize("seconds", [np.inf, 1e6])
def test_side_by_side_is_one_after_the_other(data, n_threads, seconds):
    """All settings at once, also in turns under a limit of time."""
    together = [make_trainer(*data, **params) for params in SETTINGS]
    errors = advance_all(together, 7, n_threads=n_threads, seconds=seconds)
    assert errors == [None] * len(SETTINGS)
    for trainer, params in zip(together, SETTINGS, strict=True):
        alone = make_trainer(*data, **params)
        alone.advance(7)
        assert trainer.ended == alone.ended
        assert_equal(trainer, alone)


def test_each_has_its_own_number_of_epochs(data):
    trainers = [make_trainer(*data) for _ in range(3)]
    advance_all(trainers, [1, 0, 4], n_threads=2)
    assert [trainer.epoch for trainer in trainers] == [1, 0, 4]
    advance_all(trainers, [2, 2, 0], n_threads=2)
    assert [trainer.epoch for trainer in trainers] == [3, 2, 4]


def test_one_that_fails_harms_no_other(data):
    X, y = data
    trainers = [
        make_trainer(X, y),
        make_trainer(X, y, solver="sgd", learning_rate_init=1e200, activation="identity"),
        make_trainer(X, y, early_stopping=True, scoring=lambda model, X, y: 1 / 0),
        make_trainer(X, y, dropout=0.5),
    ]
    errors = advance_all(trainers, 7, n_threads=2)
    assert [type(error) for error in errors] == [
        type(None), ValueError, ZeroDivisionError, type(None),
    ]  # fmt: skip
    alone = make_trainer(X, y)
    alone.advance(7)
    assert_equal(trainers[0], alone)
    assert trainers[3].epoch == 7


class Enough(BaseException):
    """As what pytest and others raise to end more than a task."""


@pytest.mark.parametrize("kind", [SystemExit, Enough, GeneratorExit])
@pytest.mark.parametrize("n_threads", [1, 3])
def test_what_is_to_end_all_ends_all(data, kind, n_threads):
    """It comes out where it is heard, and the others stop within their batch."""
    calls = []

    def scorer(model, X, y):
        calls.append(0)
        if len(calls) == 2:
            raise kind("enough")
        return 0.0

    params = {"early_stopping": True, "n_iter_no_change": np.inf, "max_iter": 5000}
    trainers = [
        make_trainer(*data, **params, scoring=scorer),
        *(make_trainer(*data, **params) for _ in range(3)),
    ]
    with pytest.raises(kind, match="enough") as caught:
        advance_all(trainers, 5000, n_threads=n_threads)
    assert all(trainer.epoch < 5000 for trainer in trainers)
    assert any(entry.name == "scorer" for entry in caught.traceback)
    assert len(calls) == 2


@pytest.mark.parametrize("kind", [IndexError, SystemExit])
def test_what_telling_raises_is_heard(data, kind):
    """A pipe that is closed, say; it is no error of a job."""

    def tell(job):
        raise kind("nobody listens")

    trainers = [make_trainer(*data, max_iter=5000, n_iter_no_change=np.inf) for _ in range(2)]
    with pytest.raises(kind, match="nobody listens"):
        advance_all(trainers, [1, 5000], n_threads=2, tell=tell)


def test_scorers_are_called_one_at_a_time(data):
    """They are the user's, and may not know of threads."""
    inside, most = [], []

    def scorer(model, X, y):
        inside.append(0)
        most.append(len(inside))
        time.sleep(0.01)
        inside.pop()
        return model.score(X, y)

    params = {"early_stopping": True, "scoring": scorer, "n_iter_no_change": 20}
    trainers = [make_trainer(*data, **params) for _ in range(4)]
    advance_all(trainers, 3, n_threads=4)
    assert max(most) == 1
    assert len(most) == 12


def big_trainers(n):
    rng = np.random.RandomState(0)
    X = rng.randn(50_000, 40)
    params = {"hidden_layer_sizes": (256, 256), "batch_size": 64}
    return [make_trainer(X, X[:, 0], **params) for _ in range(n)]


def test_ctrl_c_reaches_all_within_their_batch():
    trainers = big_trainers(3)
    timer = threading.Timer(0.5, _thread.interrupt_main)
    timer.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        advance_all(trainers, 1000, n_threads=2)
    assert time.monotonic() - start < 20  # an epoch of one takes seconds, all of them hours
    assert [trainer.ended for trainer in trainers] == ["interrupted", "interrupted", None]
    assert all(np.isfinite(trainer.network.parameters).all() for trainer in trainers)


def test_a_limit_of_time_gives_each_its_turn(data):
    """Slices of epochs go round; no one begins another when time is over."""
    trainers = [make_trainer(*data, max_iter=10**6, n_iter_no_change=np.inf) for _ in range(5)]
    start = time.monotonic()
    advance_all(trainers, 10**6, n_threads=2, seconds=0.5)
    assert time.monotonic() - start < 5
    epochs = [trainer.epoch for trainer in trainers]
    assert min(epochs) > 0
    assert max(epochs) - min(epochs) <= 1 + max(epochs) // 2


def test_no_thread_outlives_the_call(data):
    before = threading.active_count()
    advance_all([make_trainer(*data) for _ in range(4)], 2, n_threads=3)
    time.sleep(0.1)
    assert threading.active_count() == before
