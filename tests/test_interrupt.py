"""Ctrl-C is answered between batches and leaves a usable model."""

import _thread
import threading

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from skreg import MLPClassifier, _core, network
from skreg.network import Network


@pytest.fixture
def slow_epoch():
    """Rows enough for an epoch of many seconds, unless it is interrupted."""
    rng = np.random.RandomState(0)
    X = rng.randn(20_000, 50).astype(np.float32)
    return np.repeat(X, 20, axis=0), np.repeat((X[:, 0] > 0).astype(int), 20)


@pytest.fixture
def interrupt(monkeypatch):
    """Ctrl-C a moment after the named method of Network is called for the first time."""
    timers = []

    def arm(method):
        original = getattr(Network, method)

        def armed(self, *args):
            if not timers:
                timers.append(threading.Timer(0.2, _thread.interrupt_main))
                timers[0].start()
            return original(self, *args)

        monkeypatch.setattr(Network, method, armed)

    yield arm
    for timer in timers:
        timer.cancel()


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_interrupt_within_an_epoch(slow_epoch, interrupt, monkeypatch, early_stopping, n_threads):
    X, y = slow_epoch
    monkeypatch.setattr(network, "_count_cpus", lambda: _core.set_cpu_count(n_threads))
    clf = MLPClassifier(
        (512, 512, 512, 512), batch_size=64, early_stopping=early_stopping, random_state=0
    )
    interrupt("train_epoch")
    with (
        threadpool_limits(n_threads),
        pytest.warns(UserWarning, match="Training interrupted by user"),
    ):
        clf.fit(X, y)
    assert clf.n_iter_ == 0  # the first epoch did not come to its end
    assert np.isnan(clf.loss_)
    assert 0 < clf._state["counters"][0] < len(X) / 64
    # What was learned so far is kept and predicts.
    assert np.isfinite(clf.predict_proba(X[:1000])).all()


def test_interrupt_while_statistics_are_recomputed(slow_epoch, interrupt):
    """The epochs before it are kept, with the running statistics."""
    X, y = slow_epoch
    X, y = X[:80_000], y[:80_000]
    clf = MLPClassifier(
        (512, 512, 512, 512), batch_norm=True, max_iter=1, batch_size=1000, random_state=0
    )
    interrupt("recalibrate")
    with (
        pytest.warns(UserWarning, match="Training interrupted by user"),
        pytest.warns(ConvergenceWarning),
    ):
        clf.fit(X, y)
    assert clf.n_iter_ == 1
    assert np.isfinite(clf.predict_proba(X[:1000])).all()
