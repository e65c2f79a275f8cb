"""Settings that have no effect warn once or are silent; they never fail, and never act."""

import warnings

import numpy as np
import pytest
from conftest import assert_same_bits, fit_quietly
from sklearn.exceptions import ConvergenceWarning

from skreg import MLPClassifier, MLPRegressor

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
        ({"l1_ratio": 0.5}, "l1_ratio=0.5 has an effect"),
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
