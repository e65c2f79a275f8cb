"""Ctrl-C is answered between batches and leaves a usable model; so is the end of the process."""

import _thread
import subprocess
import sys
import threading

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from skreg import MLPClassifier, _core
from skreg.network.core import make_data
from skreg.network.network import Network

BATCH_NORM = ("batch_norm", {"momentum": 0.1, "epsilon": 1e-3})


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
    monkeypatch.setattr("skreg.network.core.count_cpus", lambda: _core.set_cpu_count(n_threads))
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


def test_interrupted_statistics_stay_as_they_were():
    """What is half recomputed is no statistic of anything."""
    rng = np.random.RandomState(0)
    data = make_data(rng.randn(400_000, 50), target=rng.randn(400_000, 1))
    layers = [part for _ in range(8) for part in (("dense", {"units": 256.0}), BATCH_NORM)]
    layers.append(("dense", {"units": 1.0}))
    network = Network(layers, ("squared_error", {}), [], n_features=50, dtype=np.float64, seed=0)
    network.initialize(rng, [6.0] * 9)
    network.attach()
    before = network.statistics.copy()
    timer = threading.Timer(0.3, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        network.recalibrate(data, np.arange(400_000, dtype=np.int32))
    timer.join()
    np.testing.assert_array_equal(network.statistics, before)


DAEMONS = """
import sys, threading, time, warnings
import numpy as np
from skreg import MLPClassifier
from skreg.augmentation import GaussianBlur
from skreg.network.core import make_data
from skreg.network.network import Network

warnings.simplefilter("ignore")
sys.setswitchinterval(1e-6)  # the lock changes hands at any moment
X = np.random.RandomState(0).rand(2000, 64)
y = X[:, 0] > 0.5
model = MLPClassifier((64,)).partial_fit(X, y, classes=[0, 1])
layers = [("dense", {"units": 2.0}), ("relu", {}), ("dense", {"units": 1.0})]
network = Network(layers, ("squared_error", {}), [], n_features=64, dtype=X.dtype, seed=0)
network.attach()
data, rows = make_data(X[:4], target=np.zeros((4, 1))), np.arange(4, dtype=np.int32)
steps = [
    lambda: network.evaluate(data, rows),
    lambda: network.evaluate(data, rows),
    lambda: model.predict(X),
    lambda: MLPClassifier((8,)).partial_fit(X[:20], y[:20], classes=[0, 1]),
    lambda: GaussianBlur(image_shape=(8, 8)).fit_transform(X[:50]),
    lambda: MLPClassifier((512, 512)).fit(X, y),  # within an epoch when the interpreter ends
]
started = threading.Barrier(len(steps) + 1)

def work(step):
    started.wait()
    while True:
        step()

for step in steps:
    threading.Thread(target=work, args=(step,), daemon=True).start()
started.wait()
time.sleep(0.1)
"""


@pytest.mark.parametrize("attempt", range(4))
def test_daemon_threads_do_not_crash_the_end_of_the_process(attempt, tmp_path):
    """A thread that may not take the interpreter's lock any more sleeps until the process ends."""
    command = [sys.executable, "-c", DAEMONS]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60)
    assert (run.returncode, run.stderr) == (0, b"")
