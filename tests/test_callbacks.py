"""scikit-learn's callbacks: a fit is a task, every epoch a subtask."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import MLPClassifier, MLPRegressor

sklearn_callback = pytest.importorskip("sklearn.callback")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def data():
    rng = np.random.RandomState(0)
    X = rng.randn(60, 4)
    return X, (X[:, 0] > 0).astype(int)


class Recorder:
    """Records what it is told; asks to stop after `stop_after` epochs."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.calls, self.scores = [], []

    def setup(self, estimator, context):
        self.calls.append("setup")

    def teardown(self, estimator, context):
        self.calls.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        self.calls.append(f"end {context.task_name}")
        self.scores.append(fitted_estimator.score(X, y))
        return context.task_name == "epoch" and context.task_id + 1 == self.stop_after


def test_epochs_are_subtasks_and_can_stop(data):
    recorder = Recorder(stop_after=3)
    clf = MLPClassifier(random_state=0, learning_rate_init=0.05).set_callbacks(recorder)
    clf.fit(*data)
    assert clf.n_iter_ == 3
    epoch = ["begin epoch", "end epoch"]
    assert recorder.calls == ["setup", "begin fit", *3 * epoch, "end fit", "teardown"]
    assert recorder.scores[-1] == recorder.scores[-2] == clf.score(*data)
    assert recorder.scores[0] < recorder.scores[-1]


def test_callbacks_change_nothing(data):
    plain = MLPClassifier(random_state=0, max_iter=4).fit(*data)
    watched = MLPClassifier(random_state=0, max_iter=4).set_callbacks(Recorder()).fit(*data)
    for a, b in zip(plain.coefs_, watched.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)


def test_teardown_after_a_failed_fit(data):
    recorder = Recorder()
    reg = MLPRegressor().set_callbacks(recorder)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        reg.fit(data[0], data[1][:-1])
    assert recorder.calls[-1] == "teardown"
    with pytest.raises(NotFittedError):
        reg.predict(data[0])


def test_lbfgs_is_one_task(data):
    recorder = Recorder()
    MLPClassifier(solver="lbfgs", max_iter=5).set_callbacks(recorder).fit(*data)
    assert recorder.calls == ["setup", "begin fit", "end fit", "teardown"]


def test_scoring_monitor_in_pipeline_and_search(data):
    monitor = sklearn_callback.ScoringMonitor(scoring="accuracy")
    pipe = make_pipeline(StandardScaler(), MLPClassifier(max_iter=3, random_state=0))
    pipe.named_steps["mlpclassifier"].set_callbacks(monitor)
    GridSearchCV(pipe, {"mlpclassifier__dropout": [0.0, 0.5]}, cv=2).fit(*data)
