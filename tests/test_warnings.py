"""Settings that have no effect warn once or are silent; they never fail, and never act."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from conftest import assert_same_bits, fit_quietly
from scipy import sparse
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

from skreg import MLPClassifier, MLPRegressor
from skreg.augmentation import SwapNoise

BASE = {"hidden_layer_sizes": (5,), "max_iter": 3, "random_state": 0}
LINEAR = {**BASE, "hidden_layer_sizes": ()}

# A setting that is moot, the parameter its warning names, and the same fit without it.
MOOT = {
    "l1_ratio with l2": ({**BASE, "l1_ratio": 0.5}, "l1_ratio", BASE),
    "l1_ratio with l1": (
        {**BASE, "penalty": "l1", "l1_ratio": 0.5}, "l1_ratio", {**BASE, "penalty": "l1"}
    ),
    "alpha without penalty": (
        {**BASE, "penalty": None, "alpha": 0.5}, "alpha", {**BASE, "penalty": None}
    ),
    "dropout without hidden layers": ({**LINEAR, "dropout": 0.5}, "dropout", LINEAR),
    "batch norm without hidden layers": ({**LINEAR, "batch_norm": True}, "batch_norm", LINEAR),
    "momentum without batch norm": (
        {**BASE, "batch_norm_momentum": 0.5}, "batch_norm_momentum", BASE
    ),
    "epsilon without batch norm": ({**BASE, "batch_norm_epsilon": 0.1}, "batch_norm_epsilon", BASE),
    "scoring without early stopping": ({**BASE, "scoring": "r2"}, "scoring", BASE),
    "restore_best without early stopping": (
        {**BASE, "restore_best": False}, "restore_best", BASE
    ),
    "unit_alpha without hidden layers": ({**LINEAR, "unit_alpha": 0.5}, "unit_alpha", LINEAR),
    "max_norm without hidden layers": ({**LINEAR, "max_norm": 0.1}, "max_norm", LINEAR),
    "ema_decay without ema": ({**BASE, "ema_decay": 0.5}, "ema_decay", BASE),
    "swa_start with ema": (
        {**BASE, "weight_averaging": "ema", "swa_start": 0.5}, "swa_start",
        {**BASE, "weight_averaging": "ema"},
    ),
    "layer norm without hidden layers": ({**LINEAR, "layer_norm": True}, "layer_norm", LINEAR),
    "residual without equal widths": (
        {**BASE, "hidden_layer_sizes": (5, 5, 4), "residual": True}, "residual",
        {**BASE, "hidden_layer_sizes": (5, 5, 4)},
    ),
    "stochastic depth without links": (
        {**BASE, "stochastic_depth": 0.5}, "stochastic_depth", BASE
    ),
    "dropout_kind without dropout": ({**BASE, "dropout_kind": "alpha"}, "dropout_kind", BASE),
    "dropout_kind with input dropout only": (
        {**BASE, "dropout_kind": "connect", "input_dropout": 0.2}, "dropout_kind",
        {**BASE, "input_dropout": 0.2},
    ),
    "mixup_bandwidth without mixup": ({**BASE, "mixup_bandwidth": 0.5}, "mixup_bandwidth", BASE),
    "warmup with one_cycle": (
        {**BASE, "warmup": 0.5, "learning_rate": "one_cycle"}, "warmup",
        {**BASE, "learning_rate": "one_cycle"},
    ),
    "warmup with lbfgs": (
        {**BASE, "solver": "lbfgs", "warmup": 0.5}, "warmup", {**BASE, "solver": "lbfgs"}
    ),
    **{
        f"{name} with lbfgs": (
            {**BASE, "solver": "lbfgs", "learning_rate": name}, "learning_rate",
            {**BASE, "solver": "lbfgs"},
        )
        for name in ("cosine", "cosine_restarts", "one_cycle", "flat_cosine", "plateau")
    },
}  # fmt: skip

SILENT = {
    "penalty=None at the default alpha": {"penalty": None},
    "sgd's parameters with adam": {"momentum": 0.5, "power_t": 0.1, "learning_rate": "adaptive"},
    "adam's parameters with sgd": {"solver": "sgd", "beta_1": 0.5, "beta_2": 0.5, "epsilon": 1e-3},
    "parameters of lbfgs with adam": {"max_fun": 7},
    "validation_fraction without early stopping": {"validation_fraction": 0.4},
    "no dropout as a list": {"dropout": [0.0]},
    "invscaling with adam": {"learning_rate": "invscaling"},
    "activations as a list": {"activation": ["relu"]},
    "a time limit that is not reached": {"time_limit": 1e6},
    "a threshold for the Huber loss": {"loss": "huber", "delta": 0.5},
    "a quantile for its loss": {"loss": "quantile", "quantile": [0.1, 0.9]},
}


def recorded_warnings(model, X, y):
    """Fit and return the warnings other than that of max_iter."""
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        model.fit(X, y)
    return [w for w in record if not issubclass(w.category, ConvergenceWarning)]


@pytest.mark.parametrize("case", MOOT)
def test_a_moot_setting_warns_once_and_does_not_act(regression, case):
    """One warning that names the parameter, and the same bits as without it."""
    params, name, without = MOOT[case]
    record = recorded_warnings(model := MLPRegressor(**params), *regression)
    assert len(record) == 1
    assert issubclass(record[0].category, UserWarning)
    assert name in str(record[0].message)
    assert_same_bits(model, fit_quietly(MLPRegressor(**without), *regression))


@pytest.mark.parametrize("params", [{"delta": 0.5}, {"quantile": 0.9}, {"quantile": [0.1, 0.9]}])
def test_the_parameter_of_another_loss_warns(regression, params):
    """They have an effect with their own loss only."""
    record = recorded_warnings(MLPRegressor(**BASE, **params), *regression)
    assert [name in str(w.message) for w in record for name in params] == [True]


@pytest.mark.parametrize("case", SILENT)
def test_a_parameter_of_another_part_is_silent(regression, case):
    """Parameters that scikit-learn has and ignores, and neutral values, say nothing."""
    assert not recorded_warnings(MLPRegressor(**{**BASE, **SILENT[case]}), *regression)


def test_stochastic_parameters_with_lbfgs_are_silent(regression):
    """The full-batch solver ignores what steps need."""
    params = {"learning_rate": "adaptive", "momentum": 0.3, "batch_size": 10, "shuffle": False}
    model = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", random_state=0, **params)
    assert not recorded_warnings(model, *regression)


def test_a_batch_larger_than_the_data_is_clipped(regression):
    """As in scikit-learn, with its warning."""
    X, y = regression
    model = MLPRegressor(**BASE, batch_size=10_000)
    record = recorded_warnings(model, X, y)
    assert ["clipped" in str(w.message) for w in record] == [True]
    assert_same_bits(model, fit_quietly(MLPRegressor(**BASE, batch_size=len(y)), X, y))


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_too_few_iterations_warn(cancer, solver):
    """Every solver says that it did not converge."""
    with pytest.warns(ConvergenceWarning):
        MLPClassifier((5,), solver=solver, max_iter=2, random_state=0).fit(*cancer)


def test_lbfgs_with_l1_warns_when_its_zeros_are_not_final(cancer):
    """Zeros are promised at convergence only."""
    model = MLPClassifier((), solver="lbfgs", penalty="l1", alpha=0.01, max_iter=3, random_state=0)
    with pytest.warns(ConvergenceWarning):
        model.fit(*cancer)


def test_a_column_vector_target_warns(cancer):
    """As every scikit-learn estimator does."""
    X, y = cancer
    with pytest.warns(UserWarning, match="column-vector"):
        fit_quietly(MLPClassifier((5,), max_iter=2, random_state=0), X, np.reshape(y, (-1, 1)))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"max_iter": 2}, "Maximum iterations"),
        ({"l1_ratio": 0.5}, "l1_ratio has an effect"),
        ({"batch_size": 1000}, "batch_size=1000 is larger"),
    ],
)
def test_warnings_point_at_the_caller(params, message):
    """The line reported is the user's, not one of the library or of scikit-learn."""
    rng = np.random.RandomState(0)
    X = rng.randn(40, 3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        MLPClassifier((3,), **params).fit(X, X[:, 0] > 0)
    (warning,) = [w for w in caught if message in str(w.message)]
    assert warning.filename == __file__


ACTS_OTHERWISE = {
    "alpha dropout of relu": ({"dropout": 0.1, "dropout_kind": "alpha"}, "selu units alone"),
    "unit_alpha under layer norm": ({"unit_alpha": 0.1, "layer_norm": True}, "removes no units"),
    "unit_alpha under links": (
        {"hidden_layer_sizes": (4, 4, 4), "unit_alpha": 0.1, "residual": True}, "removes no units"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ACTS_OTHERWISE)
def test_a_setting_that_does_not_do_what_it_is_for_warns(regression, case):
    """It acts, but not as its name says."""
    params, message = ACTS_OTHERWISE[case]
    record = recorded_warnings(MLPRegressor(**{**BASE, **params}), *regression)
    assert [message in str(w.message) for w in record] == [True]


def test_alpha_dropout_of_selu_is_silent(regression):
    params = {**BASE, "hidden_layer_sizes": (5, 4), "activation": ["selu", "relu"]}
    model = MLPRegressor(**params, dropout=[0.1, 0.0], dropout_kind="alpha")
    assert not recorded_warnings(model, *regression)


def search_of(**grid):
    model = MLPClassifier((3,), max_iter=2, random_state=0)
    return GridSearchCV(model, grid, cv=3)


def test_a_search_is_told_once(cancer):
    """Each message, max_iter too, at the line that calls the search; and again at another line."""
    X, y = cancer
    penalties = {"penalty": ["l1", "l2", "elasticnet", None], "alpha": [1e-5, 1e-3]}
    search = search_of(**penalties, l1_ratio=[0.15, 0.5, 0.9])
    first = record_of(lambda: search.fit(X, y))
    second = record_of(lambda: search.fit(X, y))
    for record in (first, second):
        assert len(record) == 3
        assert {w.filename for w in record} == {__file__}
    repeated = [record_of(lambda: search.fit(X, y)) for _ in range(3)]
    assert [len(record) for record in repeated] == [3, 0, 0]


def record_of(call):
    """All warnings, as Python shows them by default."""
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("default")
        call()
    return record


def test_an_error_is_not_told(cancer):
    """Where warnings are errors the second fit fails as the first one."""
    for _ in range(2):
        with pytest.raises(UserWarning, match="dropout has no effect"):
            MLPClassifier((), dropout=0.5).fit(*cancer)


def test_a_process_of_a_pool_is_told_once(cancer, tmp_path):
    """By loky, whose processes have no line of the user."""
    script = tmp_path / "script.py"
    script.write_text(
        "import warnings\n"
        "from sklearn.datasets import load_breast_cancer\n"
        "from sklearn.exceptions import ConvergenceWarning\n"
        "from sklearn.model_selection import GridSearchCV\n"
        "from skreg import MLPClassifier\n"
        "warnings.simplefilter('ignore', ConvergenceWarning)\n"
        "model = MLPClassifier((3,), max_iter=1)\n"
        "grid = {'l1_ratio': [0.5, 0.6, 0.7], 'alpha': [1e-5, 1e-3, 1e-2]}\n"
        "GridSearchCV(model, grid, cv=3, n_jobs=2).fit(*load_breast_cancer(return_X_y=True))\n"
    )
    run = subprocess.run(
        [sys.executable, script.name], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert 1 <= run.stderr.count("l1_ratio has an effect with") <= 3


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_parameters_of_an_augmenter_that_is_not_there(cancer):
    """As in the product of a grid: left out with a warning; else they reach the augmenter."""
    with pytest.warns(UserWarning, match=r"augmentation__p: no effect with augmentation=None"):
        search = search_of(augmentation=[None, SwapNoise()], augmentation__p=[0.1, 0.3])
        search.fit(*cancer)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    model = MLPClassifier(augmentation=SwapNoise()).set_params(augmentation__p=0.3)
    assert model.augmentation.p == 0.3
    model.set_params(augmentation=SwapNoise(), augmentation__p=0.4)
    assert model.augmentation.p == 0.4
    with pytest.raises(ValueError, match="Invalid parameter 'size'"):
        model.set_params(augmentation__size=0.4)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("to", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_a_validation_set_on_another_scale(to):
    """It is told, with the number of columns; samples of the same rows are not, nor rare values."""
    X, y = load_breast_cancer(return_X_y=True)
    scaled = StandardScaler().fit_transform(X)
    rare = (np.random.RandomState(0).uniform(size=(569, 60)) < 0.01).astype(float)
    scaled, X = np.hstack([scaled, rare]), np.hstack([X, rare])
    model = MLPClassifier((3,), early_stopping=True, max_iter=1)
    params = {"X_val": to(scaled[:60]), "y_val": y[:60]}
    assert len(record_of(lambda: model.fit(to(scaled), y, **params))) == 1  # of max_iter
    params["X_val"] = to(X[:60])
    with pytest.warns(UserWarning, match=r"\d\d of 90 columns of X_val .* transform_input="):
        model.fit(to(scaled), y, **params)


def test_a_filter_has_the_last_word(cancer):
    """What was ignored has not been shown, and 'always' is always."""
    X, y = cancer
    model = MLPClassifier((), dropout=0.5, max_iter=1)
    shown = []
    for action in ("ignore", "default", "default", "always", "always"):
        with warnings.catch_warnings(record=True) as record:
            warnings.simplefilter(action)
            model.fit(X, y)
        shown.append(sum("dropout has no effect" in str(w.message) for w in record))
    assert shown == [0, 1, 0, 1, 1]
