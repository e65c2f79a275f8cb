"""scikit-learn's callbacks: a fit is a task, every epoch a subtask."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import MLPClassifier, MLPRegressor
from skreg.augmentation import Augmented, FeatureNoise

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


class Keeper(sklearn_callback.FitCallback):
    """Keeps the fitted estimators of all epochs."""

    def __init__(self):
        self.kept = []

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        if context.task_name == "epoch":
            self.kept.append(fitted_estimator)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_copy_is_as_if_fit_had_stopped(early_stopping, data):
    """Also after an earlier fit; and it stays as it is while training goes on."""
    clf = MLPClassifier(max_iter=5, early_stopping=early_stopping, random_state=0).fit(*data)
    keeper = Keeper()
    clf.set_params(max_iter=3).set_callbacks(keeper).fit(*data)
    assert [copy.n_iter_ for copy in keeper.kept] == [1, 2, 3]
    for n, copy in enumerate(keeper.kept, start=1):
        assert copy.loss_curve_ == clf.loss_curve_[:n]
        assert copy.loss_ == copy.loss_curve_[-1] == copy.history_["objective"][-1]
        *seconds, last = copy.history_["seconds"]
        assert seconds == clf.history_["seconds"][: n - 1]
        assert np.isnan(last)  # the epoch is not over
        if early_stopping:
            assert copy.validation_loss_curve_ == clf.validation_loss_curve_[:n]
            assert copy.validation_scores_ == clf.validation_scores_[:n]
            assert 1 <= copy.best_iter_ <= n
        else:
            assert copy.validation_scores_ is None


def test_an_exception_leaves_the_estimator_as_it_was(data):
    class Raise(Keeper):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator):
            raise RuntimeError

    clf = MLPClassifier(max_iter=3, random_state=0).fit(*data)
    before = clf.coefs_
    with pytest.raises(RuntimeError):
        clf.set_callbacks(Raise()).fit(*data)
    assert clf.coefs_ is before
    assert not hasattr(clf, "_callback_fit_ctx")


def augmented(estimator):
    return Augmented(estimator, FeatureNoise(0.1, random_state=0), n_copies=1)


def test_augmented_passes_callbacks_on(data):
    keeper = Keeper()
    model = augmented(MLPClassifier(max_iter=2, random_state=0))
    assert model.set_callbacks(keeper) is model
    model.fit(*data)
    assert len(keeper.kept) == 2
    GridSearchCV(model, {"n_copies": [0, 1]}, cv=2).fit(*data)  # clones share them
    assert len(keeper.kept) == 2 + 5 * 2
    assert not hasattr(augmented(GaussianNB()), "set_callbacks")


class Paths(Keeper):
    """Handed on by a search, as a progress bar is; keeps the ids of epochs from the root."""

    max_propagation_depth = None

    def on_fit_task_end(self, estimator, context):
        path = []
        task = context
        while task is not None:
            path.insert(0, task.task_id)
            task = task.parent
        if context.task_name == "epoch":
            self.kept.append(tuple(path))


def test_augmented_in_a_search_that_hands_callbacks_on(data):
    paths = Paths()
    model = augmented(MLPClassifier(max_iter=2, random_state=0))
    search = GridSearchCV(model, {"n_copies": [0, 1]}, cv=2).set_callbacks(paths).fit(*data)
    folds = [(0, 0, fit, epoch) for fit in range(4) for epoch in range(2)]
    assert paths.kept == [*folds, (0, 1, 0), (0, 1, 1)]
    assert not hasattr(search.best_estimator_.estimator_, "_parent_callback_ctx")
