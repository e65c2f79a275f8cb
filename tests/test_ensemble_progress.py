"""What ensembles over folds tell while they train, how long they may, and how they go on."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification

from skreg import (
    FoldEnsembleClassifier,
    FoldEnsembleRegressor,
    MLPClassifier,
    MLPRegressor,
    TabularClassifier,
    TabularRegressor,
)
from skreg.callbacks import Checkpoint

NET = {"hidden_layer_sizes": (8,), "max_iter": 12, "learning_rate_init": 0.01, "batch_size": 32}
MODELS = [
    FoldEnsembleClassifier(MLPClassifier(**NET), cv=3, random_state=0),
    FoldEnsembleRegressor(MLPRegressor(**NET, standardize_y=True), cv=3, random_state=0),
    TabularClassifier(**NET, cv=3, random_state=0),
    TabularRegressor(**NET, cv=3, random_state=0),
]
ALL = pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)

# Short trainings, of networks that are not the subject here.
pytestmark = pytest.mark.filterwarnings("ignore:.*networks reached max_iter")


@pytest.fixture(scope="module")
def data():
    return make_classification(200, 6, random_state=0)


def members(model):
    return getattr(model, "ensemble_", model).estimators_


def outputs(model, X):
    """What would show any difference."""
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


# ------------------------------------------------------------------------------------- time


@ALL
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_no_time_is_one_epoch_each(model, data, n_jobs):
    """The ensemble is usable, and a warning says how far it came."""
    model = clone(model).set_params(time_limit=1e-6, n_jobs=n_jobs)
    with pytest.warns(UserWarning, match="3 of 3 networks were stopped after 1 to 1 epochs"):
        model.fit(*data)
    assert [member.n_iter_ for member in members(model)] == [1, 1, 1]
    assert np.isfinite(outputs(model, data[0])).all()


@ALL
def test_enough_time_changes_nothing(model, data):
    """Networks that take turns come to the same bits."""
    limited = clone(model).set_params(time_limit=1000).fit(*data)
    np.testing.assert_array_equal(
        outputs(limited, data[0]), outputs(clone(model).fit(*data), data[0])
    )


def test_encoding_takes_of_the_time(data):
    """The limit begins with the fit."""

    class Slow(FoldEnsembleClassifier):
        def _train(self, *arguments):
            *others, begin = arguments
            super()._train(*others, begin - 1000)

    model = Slow(MLPClassifier(**NET), cv=3, random_state=0, time_limit=999)
    with pytest.warns(UserWarning, match="time_limit=999 is over"):
        model.fit(*data)


# ------------------------------------------------------------------------------------ lines


@ALL
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_line_for_each_network(model, data, capsys, n_jobs):
    """When it has ended; nothing without verbose."""
    clone(model).fit(*data)
    assert capsys.readouterr().out == ""
    fitted = clone(model).set_params(verbose=True, n_jobs=n_jobs).fit(*data)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and lines[0].startswith("Network 1 of 3: 12 epochs in ")
    lowest = min(members(fitted)[0].validation_loss_curve_)
    assert any(f"lowest validation loss {lowest:.5g} in epoch" in line for line in lines)


# -------------------------------------------------------------------------------- callbacks


class Recorder:
    """Records what it is told; asks to stop after `stop_after` epochs, or fails."""

    def __init__(self, stop_after=None, fail_after=None):
        self.stop_after, self.fail_after = stop_after, fail_after
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
        if context.task_name == "epoch" and context.task_id + 1 == self.fail_after:
            raise RuntimeError("full disk")
        return context.task_name == "epoch" and context.task_id + 1 == self.stop_after


@ALL
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_folds_are_tasks_with_epochs(model, data, n_jobs):
    """A copy of the whole estimator predicts as the network of the fold does then."""
    pytest.importorskip("sklearn.callback")
    recorder, model = Recorder(stop_after=3), clone(model).set_params(n_jobs=n_jobs)
    model.set_callbacks(recorder).fit(*data)
    assert [member.n_iter_ for member in members(model)] == [3, 3, 3]
    calls = pd.Series(recorder.calls).value_counts()
    assert calls[["begin epoch", "end epoch", "begin fold", "end fold"]].tolist() == [9, 9, 3, 3]
    assert recorder.calls[:2] == ["setup", "begin fit"]
    assert recorder.calls[-2:] == ["end fit", "teardown"]
    assert recorder.scores[-1] == model.score(*data)


@ALL
def test_callbacks_change_nothing(model, data):
    pytest.importorskip("sklearn.callback")
    heard = clone(model).set_callbacks(Recorder()).fit(*data)
    np.testing.assert_array_equal(
        outputs(heard, data[0]), outputs(clone(model).fit(*data), data[0])
    )


@ALL
def test_a_fit_that_fails_is_torn_down(model, data):
    """And leaves the estimator as it was."""
    pytest.importorskip("sklearn.callback")
    recorder = Recorder(fail_after=2)
    model = clone(model).set_callbacks(recorder)
    with pytest.raises(RuntimeError, match="full disk"):
        model.fit(*data)
    assert recorder.calls[-1] == "teardown" and not hasattr(model, "n_features_in_")


def test_callbacks_of_a_member_are_told_where_they_belong(data):
    pytest.importorskip("sklearn.callback")
    network = MLPClassifier(**NET).set_callbacks(Recorder())
    with pytest.warns(UserWarning, match="set_callbacks of FoldEnsembleClassifier"):
        FoldEnsembleClassifier(network, cv=3, random_state=0).fit(*data)


# ------------------------------------------------------------------------------ checkpoints


@ALL
def test_an_ensemble_goes_on(model, data, tmp_path):
    """Each network from its own file, to the bits of a fit that was never cut."""
    pytest.importorskip("sklearn.callback")
    killed = Recorder(fail_after=7)
    with pytest.raises(RuntimeError, match="full disk"):
        clone(model).set_callbacks(killed, Checkpoint(tmp_path)).fit(*data)
    assert len(list(tmp_path.iterdir())) == 3
    recorder = Recorder()
    again = clone(model).set_callbacks(recorder, Checkpoint(tmp_path)).fit(*data)
    assert recorder.calls.count("end epoch") == 3 * (12 - 6)
    np.testing.assert_array_equal(
        outputs(again, data[0]), outputs(clone(model).fit(*data), data[0])
    )
    assert list(tmp_path.iterdir()) == []


def test_a_finished_ensemble_is_read_back(data, tmp_path):
    """With keep; also where the Checkpoint is that of the network."""
    network = MLPClassifier(**NET).set_callbacks(Checkpoint(tmp_path, keep=True))
    model = FoldEnsembleClassifier(network, cv=3, random_state=0).fit(*data)
    assert len(list(tmp_path.iterdir())) == 3
    again = clone(model).fit(*data)
    np.testing.assert_array_equal(outputs(again, data[0]), outputs(model, data[0]))
    other = clone(model).set_params(random_state=1).fit(*data)  # other folds, other files
    assert len(list(tmp_path.iterdir())) == 6
    assert (outputs(other, data[0]) != outputs(model, data[0])).any()


@ALL
def test_a_checkpoint_needs_a_number(model, data, tmp_path):
    """Without it a repeated fit has other folds, and finds no file."""
    model = clone(model).set_params(random_state=None).set_callbacks(Checkpoint(tmp_path))
    with pytest.raises(ValueError, match="random_state must be an int"):
        model.fit(*data)
