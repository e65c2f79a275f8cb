"""To look at after a fit: the summary of the network."""

import doctest
import pickle

import pytest
from conftest import fit_epochs, fit_quietly
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skreg import MLPClassifier, MLPRegressor
from skreg.augmentation import FeatureNoise
from skreg.inspection import Summary, summary

STOPPED = {"early_stopping": True, "max_iter": 4, "random_state": 0}


def fitted(data, **params):
    params = {"hidden_layer_sizes": (5,), **STOPPED, **params}
    return fit_quietly(MLPClassifier(**params), *data)


def counts(model):
    """Of each layer: parameters, weights, zeros."""
    keys = ("n_parameters", "n_weights", "n_zeros")
    return [tuple(layer[key] for key in keys) for layer in model.summary().layers]


@pytest.mark.parametrize(
    ("params", "parts"),
    [
        ({}, [[], [], [], []]),
        ({"input_dropout": 0.125, "dropout": [0.5, 0.0, 0.25]},
         [["dropout 0.125"], ["dropout 0.5"], [], ["dropout 0.25"]]),
        ({"batch_norm": True}, [[], *[["batch_norm"]] * 3]),
        ({"layer_norm": True, "dropout": 0.5, "dropout_kind": "gaussian"},
         [[], *[["layer_norm", "gaussian_dropout 0.5"]] * 3]),
        ({"dropout": 0.5, "dropout_kind": "connect", "residual": True, "stochastic_depth": 0.25},
         [[], *[["drop_connect 0.5"]] * 2, ["drop_connect 0.5", "residual 0.25"]]),
        ({"residual": True}, [[], [], [], ["residual"]]),
    ],
    ids=str,
)  # fmt: skip
def test_layers_of_a_summary(wine, params, parts):
    """Shapes, activations, parts and counts, as told by hand."""
    model = fitted(wine, **params, hidden_layer_sizes=(6, 6, 6), activation="tanh", penalty="l1",
                   alpha=0.05, max_iter=3)  # fmt: skip
    found = model.summary()
    assert [layer["parts"] for layer in found.layers] == [*parts, []]
    assert [layer["name"] for layer in found.layers] == [
        *("input", "hidden 1", "hidden 2", "hidden 3", "output"),
    ]
    assert [layer["shape"] for layer in found.layers] == ["13", "13 x 6", "6 x 6", "6 x 6", "6 x 3"]
    assert [layer["activation"] for layer in found.layers] == ["", *["tanh"] * 3, "softmax"]
    norm = 12 * ("layer_norm" in params)
    zeros = [int((w == 0).sum()) for w in model.coefs_]
    weights = [78, 36, 36, 18]
    biases = [6 + norm, 6 + norm, 6 + norm, 3]
    expected = [(w + b, w, z) for w, b, z in zip(weights, biases, zeros, strict=True)]
    assert counts(model) == [(0, 0, 0), *expected]
    assert (found.n_parameters, found.n_weights) == (168 + 21 + 3 * norm, 168)
    assert found.n_zeros == sum(zeros)
    assert found.n_zeros / found.n_weights == pytest.approx(model.sparsity_)


def test_facts_of_a_summary(wine):
    """Loss, regularizers by place, optimizer, and how training went."""
    model = fitted(
        wine, scoring="accuracy", input_noise=0.1, dropout=0.5, label_smoothing=0.1, batch_size=32,
        class_weight={0: 1.0, 1: 2.0, 2: 1.0}, penalty="elasticnet", alpha=0.01, l1_ratio=0.25,
        clip_norm=2.0, weight_averaging="ema", solver="sgd", learning_rate="cosine", warmup=0.25,
        augmentation=FeatureNoise(0.5),
    )  # fmt: skip
    facts = model.summary().facts
    assert facts["loss"] == "softmax_log_loss, outputs by softmax"
    assert facts["rows"] == f"augmentation={FeatureNoise(0.5)}, input_noise=0.1"
    assert facts["layers"] == "dropout=0.5, dropout_kind=standard"
    assert facts["targets"] == "label_smoothing=0.1, class_weight={0: 1.0, 1: 2.0, 2: 1.0}"
    assert facts["penalties"] == "penalty=elasticnet, alpha=0.01, l1_ratio=0.25, clip_norm=2"
    assert facts["trajectory"] == (
        "weight_averaging=ema, ema_decay=0.999, n_iter_no_change=10, early_stopping=True, "
        "scoring=accuracy, restore_best=True"
    )
    assert facts["optimizer"] == (
        "solver=sgd, learning_rate_init=0.001, learning_rate=cosine, batch_size=32, momentum=0.9, "
        "nesterovs_momentum=True, warmup=0.25"
    )
    assert facts["epochs"] == f"4, the best {model.best_iter_}, ended by max_iter"
    last = f"{model.history_['validation_loss'][-1]:.4g}"
    assert facts["validation loss"].startswith(last) or facts["validation loss"].endswith(
        f"in the best epoch, {last} in the last"
    )
    assert {"objective", "training loss", "validation score", "time"} <= set(facts)


def test_facts_that_are_not_in_force(diabetes):
    """What is off, or acts elsewhere, is not told."""
    plain = fit_quietly(MLPRegressor(alpha=0.0, max_iter=2, power_t=0.3), *diabetes)
    facts = plain.summary().facts
    assert not {"rows", "layers", "targets", "penalties", "objective"} & set(facts)
    assert facts["trajectory"] == "n_iter_no_change=10"
    robust = {"loss": "huber", "delta": 0.5, "solver": "lbfgs", "penalty": "l1", "max_iter": 3}
    facts = fit_quietly(MLPRegressor(**robust), *diabetes).summary().facts
    assert facts["targets"] == "loss=huber, delta=0.5"
    assert facts["penalties"] == "penalty=l1, alpha=0.0001"
    assert facts["optimizer"] == "solver=lbfgs, tol=0.0001"
    assert "ITERATIONS" in facts["iterations"]
    assert "trajectory" not in facts


def test_why_training_ended(wine):
    """Of each end its name; partial_fit has none."""
    patient = {"early_stopping": False, "max_iter": 500, "learning_rate_init": 0.05}
    assert fitted(wine).summary().facts["epochs"].endswith("ended by max_iter")
    assert "ended by no_progress" in fitted(wine, **patient).summary().facts["epochs"]
    with pytest.warns(UserWarning, match="time_limit"):
        model = fitted(wine, time_limit=1e-9, early_stopping=False)
    assert model.summary().facts["epochs"] == "1, ended by time_limit"
    partial = MLPClassifier((5,)).partial_fit(*wine, classes=[0, 1, 2]).partial_fit(*wine)
    assert partial.summary().facts["epochs"] == "2, 1 of them in the last fit"


def test_a_summary_is_that_of_the_fit(wine):
    """Parameters that are set afterwards do not show; a pickle tells the same."""
    model = fitted(wine, dropout=0.25)
    told = str(model.summary())
    model.set_params(hidden_layer_sizes=(99,), dropout=0.9, alpha=7, solver="lbfgs", max_iter=1)
    assert str(model.summary()) == told
    assert str(pickle.loads(pickle.dumps(model)).summary()) == told
    with pytest.raises(NotFittedError):
        clone(model).summary()


def test_summary_of_a_compact_network(wine):
    """Its own shapes, and no batch norm, which is part of its weights."""
    model = fitted(wine, batch_norm=True, dropout=0.5, unit_alpha=0.05, max_iter=30,
                   learning_rate_init=0.03, hidden_layer_sizes=(20,))  # fmt: skip
    small = model.compact()
    _, hidden, _ = small.summary().layers
    assert hidden["parts"] == ["dropout 0.5"]
    assert hidden["shape"] == f"13 x {small.coefs_[0].shape[1]}"
    assert model.summary().layers[1]["parts"] == ["batch_norm", "dropout 0.5"]


@pytest.mark.parametrize("hidden", [(), (3,), (1000, 400, 400, 400)], ids=str)
def test_a_summary_fits_into_a_terminal(wine, hidden):
    """Aligned, at most 100 characters wide, the totals below."""
    params = {"hidden_layer_sizes": hidden, "max_iter": 1, "swap_noise": 0.1}
    if len(hidden) == 4:
        params |= {"layer_norm": True, "residual": True, "stochastic_depth": 0.123}
        params |= {"dropout": 0.1234, "dropout_kind": "gaussian", "activation": "leaky_relu"}
    model = fit_epochs(MLPClassifier(**params), *wine)
    found = model.summary()
    lines = str(found).splitlines()
    assert repr(found) == str(found)
    assert isinstance(found, Summary)
    assert max(map(len, lines)) <= 100
    end = lines[2].index("parameters") + len("parameters")
    assert lines[0] == "MLPClassifier: 13 features, 3 outputs"
    total = next(line for line in lines if line.startswith("total"))
    assert total[:end].endswith(f" {found.n_parameters:,}")


def test_html_of_a_summary(wine):
    """A table in the colours of the page, with everything from outside escaped."""
    model = fitted(wine, scoring=lambda model, X, y: 0.5)
    page = model.summary()._repr_html_()
    assert "scoring=&lt;lambda&gt;" in page
    assert "<lambda>" not in page
    assert page.count("<tr>") == 1 + 4 + len(model.summary().facts)
    assert "background: transparent" in page

    class Odd(MLPClassifier):
        pass

    Odd.__name__ = "<b>&"
    vars(odd := Odd()).update(vars(model))
    assert "<caption>&lt;b&gt;&amp;: 13 features" in odd.summary()._repr_html_()


def test_examples_in_docstrings():
    assert doctest.testmod(summary).failed == 0
