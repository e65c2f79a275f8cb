"""Changes of the rows of a batch: each against a NumPy twin that uses the same random numbers.

A linear network with squared error shows the changed rows x and targets t in its gradient, the
mean of (z - t) x. What holds for the twin in distribution then holds for the core.
"""

import numpy as np
import pytest
import scipy.sparse as sp
from conftest import assert_same_bits, fit_quietly, parameters
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.special import softmax
from sklearn.base import clone

from skreg import MLPClassifier, MLPRegressor, _core
from skreg.data.columns import CHUNK_NUMBERS, ColumnMoments
from skreg.network.core import make_data
from skreg.network.network import Network

SEED, N, D = 3, 23, 7
SWAP, MIXUP, CUTMIX, CUTOUT, NOISE = 3, 4, 5, 6, 7  # purposes of random numbers
ONE_STEP = {"hidden_layer_sizes": (), "solver": "sgd", "momentum": 0.0, "alpha": 0.0}
ONE_STEP.update(learning_rate_init=0.5, random_state=0, shuffle=False)


# ----------------------------------------------------------------------------------- the twin
class Draws:
    """The core's random numbers of one step."""

    def __init__(self, seed=SEED, step=0):
        self.key = seed, step

    def uniform(self, purpose, n, index=0):
        """Numbers in (0, 1)."""
        _core.uniforms64(*self.key, purpose << 16 | index, out := np.empty(n))
        return out

    def normal(self, purpose, n):
        """Standard normal numbers."""
        _core.normals64(*self.key, purpose << 16, out := np.empty(n))
        return out

    def happens(self, purpose, p, shape, index=0):
        """Events of probability p, quantized to 16 bits."""
        bits = _core.random_bits(*self.key, purpose << 16 | index, int(np.prod(shape)))
        return (np.array(bits) < round(p * 65536)).reshape(shape)


def partners(u, weight):
    """The first row at which the cumulative weight exceeds the share u of the total."""
    total = np.cumsum(weight)
    return np.searchsorted(total, u * total[-1], side="right")


def beta_shares(a, u, v):
    """Beta(a, a) from two uniform numbers, by way of Student's distribution."""
    t = np.cos(2 * np.pi * v) * np.sqrt(2 * a * (u ** (-1 / a) - 1))
    return 0.5 * (1 + t / np.sqrt(2 * a + t**2))


def mix(A, other, share):
    """Row by row."""
    return share[:, None] * A + (1 - share[:, None]) * A[other]


def moments(X, w):
    """Weighted mean and standard deviation of the columns."""
    mean = np.average(X, axis=0, weights=w)
    return mean, np.sqrt(np.average((X - mean) ** 2, axis=0, weights=w))


def swap_noise(X, T, w, draws, p):
    """A value of another row in place of the own."""
    u = draws.uniform(SWAP, X.size).reshape(X.shape)
    other = partners(np.where(u < p, u / p, 0), w)
    return np.where(u < p, X[other, np.arange(X.shape[1])], X), T


def mixup(X, T, w, draws, concentration):
    """Rows and targets between those of a row and its partner."""
    other = partners(draws.uniform(MIXUP, len(X)), w)
    u, v = (draws.uniform(MIXUP, len(X), i) for i in (1, 2))
    share = beta_shares(concentration, u, v)
    return mix(X, other, share), mix(T, other, share)


def c_mixup(X, T, w, draws, concentration, bandwidth):
    """The same, with other rows as partners that are close in the targets."""
    d = (T[:, None] - T[None]) / moments(T, w)[1] / bandwidth
    chance = w * np.exp(-0.5 * (d**2).sum(axis=2)) * (1 - np.eye(len(X)))
    u = draws.uniform(MIXUP, len(X))
    other = np.array([partners(u[i], chance[i]) for i in range(len(X))])
    share = beta_shares(concentration, *(draws.uniform(MIXUP, len(X), i) for i in (1, 2)))
    return mix(X, other, share), mix(T, other, share)


def cutmix(X, T, w, draws, p):
    """Values of the partner in random columns; the targets by the share that was taken."""
    other = partners(draws.uniform(CUTMIX, len(X)), w)
    cut = draws.happens(CUTMIX, p, X.shape, 1)
    return np.where(cut, X[other], X), mix(T, other, 1 - cut.mean(axis=1))


def cutout(X, T, w, draws, p):
    """The mean in random columns."""
    return np.where(draws.happens(CUTOUT, p, X.shape), moments(X, w)[0], X), T


def input_noise(X, T, w, draws, size):
    """Normal noise in units of each feature."""
    return X + size * moments(X, w)[1] * draws.normal(NOISE, X.size).reshape(X.shape), T


CHANGES = {
    "swap_noise": (swap_noise, {"p": 0.3}),
    "mixup": (mixup, {"concentration": 0.4}),
    "c_mixup": (c_mixup, {"concentration": 2.0, "bandwidth": 0.3}),
    "cutmix": (cutmix, {"p": 0.4}),
    "cutout": (cutout, {"p": 0.25}),
    "input_noise": (input_noise, {"size": 0.5}),
}


# ---------------------------------------------------------------------------- core equals twin
def problem(weighted):
    """Rows with two targets, features of different sizes, and some weights of zero."""
    rng = np.random.RandomState(0)
    X = rng.randn(N, D) * np.geomspace(0.1, 100, D) + np.arange(D)
    weight = rng.randint(0, 4, N).astype(float) if weighted else np.ones(N)
    return X, rng.randn(N, 2), weight


def linear_network(parts, X, T, w, loss=("squared_error", {}), n_outputs=2):
    """With weights that are not zero, so that z depends on the rows."""
    network = Network(
        [("dense", {"units": float(n_outputs)})], loss, parts, n_features=D,
        dtype=np.float64, seed=SEED
    )  # fmt: skip
    network.initialize(np.random.RandomState(1), [6.0])
    network.attach()
    network.set_columns(*moments(X, w), moments(T, w)[1])
    return network


def gradient_of(network, data):
    """Loss and gradient of the first training step over all rows."""
    gradient = np.empty_like(network.parameters)
    loss = network.loss_and_gradient(data, np.arange(N, dtype=np.int32), gradient, training=True)
    return loss, gradient


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", CHANGES)
def test_the_core_equals_the_twin(name, weighted):
    """Rows, targets, units and partners all show in the gradient."""
    twin, options = CHANGES[name]
    X, T, w = problem(weighted)
    part = (name.removeprefix("c_"), options)
    network = linear_network([part], X, T, w)
    loss, gradient = gradient_of(network, make_data(X, target=T, weight=w if weighted else None))
    W, b = network.views("weight")[0], network.views("bias")[0]
    x, t = twin(X, T, w, Draws(), **options)
    residual = (x @ W + b - t) * w[:, None] / w.sum()
    expected = np.concatenate([(x.T @ residual).ravel(), residual.sum(axis=0)])
    scale = np.abs(expected).max()
    assert_allclose(gradient, expected, rtol=1e-9, atol=1e-12 * scale)
    assert loss == pytest.approx(0.5 * (w / w.sum() * ((x @ W + b - t) ** 2).sum(axis=1)).sum())
    unchanged = (X @ W + b - T) * w[:, None] / w.sum()
    assert np.abs(X.T @ unchanged - expected[:-2].reshape(D, 2)).max() > 1e-3 * scale


@pytest.mark.parametrize("name", ["mixup", "cutmix", "cutout"])
def test_labels_become_soft_targets(name):
    """The gradient is that of the smoothed mixture, the loss that of the mixture."""
    twin, options = CHANGES[name]
    X, _, w = problem(True)
    label = np.random.RandomState(2).randint(3, size=N)
    smoothing = ("softmax_log_loss", {"smoothing": 0.2})
    T = np.eye(3)[label]
    network = linear_network([(name, options)], X, T, w, smoothing, 3)
    loss, gradient = gradient_of(network, make_data(X, label=label, weight=w))
    W, b = network.views("weight")[0], network.views("bias")[0]
    x, t = twin(X, T, w, Draws(), **options)
    p = softmax(x @ W + b, axis=1)
    residual = (p - 0.8 * t - 0.2 / 3) * w[:, None] / w.sum()
    expected = np.concatenate([(x.T @ residual).ravel(), residual.sum(axis=0)])
    assert_allclose(gradient, expected, rtol=1e-9, atol=1e-12 * np.abs(expected).max())
    z = x @ W + b
    log_p = z - z.max(axis=1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(axis=1, keepdims=True))
    assert loss == pytest.approx(-(w / w.sum() * (t * log_p).sum(axis=1)).sum(), rel=1e-9)


def test_an_estimator_steps_as_the_twin():
    """Parameter names, seeds, steps and column statistics arrive where they should."""
    X, T, w = problem(True)
    for name, value in {"swap_noise": 0.3, "mixup": 0.4, "cutmix": 0.4, "cutout": 0.25,
                        "input_noise": 0.5}.items():  # fmt: skip
        model = MLPRegressor(**{**ONE_STEP, "learning_rate_init": 1e-5}, **{name: value})
        model.partial_fit(X, T, w)
        for step in (1, 2):
            before = parameters(model)
            W, b = model.coefs_[0].copy(), model.intercepts_[0].copy()
            model.partial_fit(X, T, w)
            draws = Draws(model._state["seed"], step)
            x, t = CHANGES[name][0](X, T, w, draws, value)
            residual = (x @ W + b - t) * w[:, None] / w.sum()
            gradient = np.concatenate([(x.T @ residual).ravel(), residual.sum(axis=0)])
            moved = parameters(model) - before
            assert_allclose(moved, -1e-5 * gradient, rtol=1e-7, atol=1e-12, err_msg=name)


def test_the_order_of_changes():
    """Swapped values first, noise last."""
    X, T, w = problem(True)
    names = ["swap_noise", "mixup", "cutmix", "cutout", "input_noise"]
    values = dict(zip(names, [0.3, 0.4, 0.4, 0.25, 0.5], strict=True))
    model = MLPRegressor(**{**ONE_STEP, "learning_rate_init": 1e-5}, **values)
    model.partial_fit(X, T, w)
    before = parameters(model)
    W, b = model.coefs_[0].copy(), model.intercepts_[0].copy()
    model.partial_fit(X, T, w)
    mean, deviation = moments(X, w)
    draws, x, t = Draws(model._state["seed"], 1), X, T
    for name in names[:3]:
        x, t = CHANGES[name][0](x, t, w, draws, values[name])
    x = np.where(draws.happens(CUTOUT, 0.25, x.shape), mean, x)
    x = x + 0.5 * deviation * draws.normal(NOISE, x.size).reshape(x.shape)
    residual = (x @ W + b - t) * w[:, None] / w.sum()
    gradient = np.concatenate([(x.T @ residual).ravel(), residual.sum(axis=0)])
    assert_allclose(parameters(model) - before, -1e-5 * gradient, rtol=1e-7, atol=1e-12)


# ------------------------------------------------------------------- distributions of the twin
@pytest.mark.parametrize("a", [0.1, 0.4, 1.0, 3.0])
def test_shares_have_the_beta_distribution(a):
    """Of 20000 draws; the distribution of its neighbour in the list is told apart."""
    draws = Draws()
    share = beta_shares(a, *(draws.uniform(MIXUP, 20_000, i) for i in (1, 2)))
    assert ((share >= 0) & (share <= 1)).all()
    assert stats.kstest(share, stats.beta(a, a).cdf).pvalue > 1e-3
    assert stats.kstest(share, stats.beta(1.3 * a, 1.3 * a).cdf).pvalue < 1e-3


def test_partners_come_in_proportion_to_their_weights():
    """Never one of weight 0; the row of weight 2 is two rows of weight 1."""
    u = Draws().uniform(MIXUP, 20_000)
    weight = np.array([0.0, 1.0, 2.0, 0.0, 0.5, 0.0])
    counts = np.bincount(partners(u, weight), minlength=6)
    assert not counts[weight == 0].any()
    kept = weight > 0
    assert stats.chisquare(counts[kept], weight[kept] / weight.sum() * 20_000).pvalue > 1e-3
    rows = np.array([1, 2, 2, 4])
    assert_array_equal(rows[partners(u, [2, 2, 2, 1])], partners(u, weight))


@pytest.mark.parametrize("name", ["swap_noise", "mixup", "cutmix"])
def test_rows_without_weight_lend_nothing(diabetes, name):
    """Whatever they hold, they do not change the fit."""
    X, y = diabetes
    weight = (np.arange(len(y)) % 3 > 0).astype(float)
    params = {"hidden_layer_sizes": (5,), "max_iter": 3, "random_state": 0, name: 0.5}
    wild = np.where(weight[:, None] > 0, X, 1e3)
    models = [
        fit_quietly(MLPRegressor(**params), rows, y, sample_weight=weight) for rows in (X, wild)
    ]
    assert_same_bits(*models)
    moved = fit_quietly(MLPRegressor(**params), wild, y)
    assert not np.array_equal(parameters(moved), parameters(models[0]))


def test_partners_that_must_have_the_same_target(diabetes):
    """With a tiny bandwidth no other row is close enough, and mixing changes nothing."""
    X, y = diabetes[0], diabetes[1] + np.linspace(0, 1e-3, len(diabetes[1]))  # no two alike
    assert len(np.unique(y)) == len(y)
    params = {"hidden_layer_sizes": (5,), "max_iter": 3, "random_state": 0}
    plain = fit_quietly(MLPRegressor(**params), X, y)
    mixed = fit_quietly(MLPRegressor(**params, mixup=1.0, mixup_bandwidth=1e-9), X, y)
    assert_same_bits(plain, mixed)


# ------------------------------------------------------------------------------ units of noise
def test_noise_is_in_units_of_the_features(diabetes):
    """Scaled features with weights to match give the same predictions; constant ones no noise."""
    X, y = diabetes
    params = {**ONE_STEP, "input_noise": 1.0, "learning_rate_init": 1e-30}
    factor = np.geomspace(1e-2, 1e3, 10)
    losses = []
    for scaled in (X, X * factor):
        model = MLPRegressor(**params).partial_fit(scaled, y)
        model.coefs_ = [(np.ones(10) / (1 if scaled is X else factor))[:, None]]
        losses.append(model.partial_fit(scaled, y).loss_)
    assert losses[0] == pytest.approx(losses[1], rel=1e-9)
    constant = np.full((50, 3), 7.0)
    calm = MLPRegressor(**{**params, "input_noise": 0.0}).partial_fit(constant, y[:50])
    noisy = MLPRegressor(**params).partial_fit(constant, y[:50])
    assert_same_bits(calm, noisy)


def columns_of(model):
    """Mean and standard deviation of the features as an estimator knows them."""
    state = model._state["columns"]["features"]
    return state["mean"], np.sqrt(state["variance"])


@pytest.mark.filterwarnings("ignore:.* columns of X_val have far other means")
def test_statistics_are_those_of_the_weighted_training_rows(diabetes):
    """Not of validation rows, given or split; of all rows that partial_fit has seen."""
    X, y = diabetes
    weight = np.random.RandomState(0).randint(0, 3, len(y)).astype(float)
    params = {"hidden_layer_sizes": (3,), "input_noise": 0.1, "max_iter": 2, "random_state": 0}
    model = fit_quietly(MLPRegressor(**params), X, y, sample_weight=weight)
    assert_allclose(columns_of(model), moments(X, weight), rtol=1e-12, atol=1e-12)
    params["early_stopping"] = True
    fit_params = {"X_val": X[300:] + 50, "y_val": y[300:]}
    model = fit_quietly(MLPRegressor(**params), X[:300], y[:300], **fit_params)
    assert_allclose(columns_of(model), moments(X[:300], np.ones(300)), rtol=1e-12, atol=1e-12)
    model = fit_quietly(MLPRegressor(**params), X, y)
    assert model._state["columns"]["features"]["total"] == len(y) - 45
    params["early_stopping"] = False
    model = MLPRegressor(**params)
    for part in np.array_split(np.arange(len(y)), [50, 51, 200]):
        model.partial_fit(X[part], y[part], weight[part] + 1)
    assert_allclose(columns_of(model), moments(X, weight + 1), rtol=1e-10, atol=1e-12)
    again = fit_quietly(model.set_params(warm_start=True), X[:90], y[:90])
    assert_allclose(columns_of(again), moments(X[:90], np.ones(90)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_column_moments_over_chunks(dtype, weighted, monkeypatch):
    """As in one pass, also far from zero, with chunks that weigh nothing."""
    monkeypatch.setattr("skreg.data.columns.CHUNK_NUMBERS", 7 * 5 + 1)
    rng = np.random.RandomState(0)
    A = (rng.randn(103, 5) + 1e3).astype(dtype)
    weight = np.where(np.arange(103) < 30, 0, rng.randint(0, 3, 103)).astype(float)
    rows = rng.permutation(103)[:90].astype(np.int32)
    rows.sort()
    found = ColumnMoments().add(A, rows, weight if weighted else None)
    mean, deviation = moments(A[rows].astype(float), weight[rows] if weighted else np.ones(90))
    assert_allclose(found.mean, mean, rtol=1e-13)
    assert_allclose(found.deviation, deviation, rtol=1e-9)
    parts = ColumnMoments()
    for part in np.array_split(rows, [1, 40]):
        parts = ColumnMoments(parts.state()).add(A, part, weight if weighted else None)
    assert_allclose(parts.deviation, deviation, rtol=1e-9)
    assert CHUNK_NUMBERS > 36


# -------------------------------------------------------------------------- adversarial examples
def test_the_adversarial_step_is_that_of_pytorch(wine):
    """Half the loss at the rows, half at rows moved by the sign of the gradient."""
    torch = pytest.importorskip("torch")
    X, y = wine
    units = X * np.geomspace(0.5, 2, 13)
    model = MLPClassifier(
        (8,), "tanh", solver="sgd", momentum=0.0, alpha=0.0, adversarial_epsilon=0.3,
        learning_rate_init=0.2, batch_size=len(y), random_state=0
    )  # fmt: skip
    model.partial_fit(units, y, classes=[0, 1, 2])
    tensors = [torch.tensor(p, requires_grad=True) for p in [*model.coefs_, *model.intercepts_]]

    def loss(x):
        W, V, b, c = tensors
        return torch.nn.functional.cross_entropy(torch.tanh(x @ W + b) @ V + c, torch.tensor(y))

    x = torch.tensor(units, requires_grad=True)
    clean = loss(x)
    (slope,) = torch.autograd.grad(clean, x, retain_graph=True)
    moved = (x + 0.3 * torch.tensor(units.std(axis=0)) * torch.sign(slope)).detach()
    total = 0.5 * clean + 0.5 * loss(moved)
    gradients = torch.autograd.grad(total, tensors)
    expected = [(p - 0.2 * g).detach().numpy() for p, g in zip(tensors, gradients, strict=True)]
    model.partial_fit(units, y)
    assert model.loss_ == pytest.approx(total.item(), rel=1e-10)
    assert total.item() > 1.01 * clean.item()
    for ours, theirs in zip([*model.coefs_, *model.intercepts_], expected, strict=True):
        assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_the_attack_leaves_statistics_alone(diabetes):
    """At frozen weights the running moments are those of the clean rows."""
    X, y = diabetes
    params = {"hidden_layer_sizes": (6, 5), "batch_norm": True, "solver": "sgd", "momentum": 0.0}
    params.update(learning_rate_init=1e-30, random_state=0, batch_size=100)
    plain, attacked = (
        MLPRegressor(**params, adversarial_epsilon=e).partial_fit(X, y) for e in (0.0, 0.5)
    )
    assert_array_equal(attacked._state["statistics"], plain._state["statistics"])
    assert attacked.loss_ > 1.01 * plain.loss_


def test_dropped_inputs_are_not_attacked(diabetes):
    """In a linear model with all but one input dropped the attack moves no dropped input."""
    X, y = diabetes
    model = MLPRegressor(**ONE_STEP, input_dropout=0.5, adversarial_epsilon=0.4)
    model.set_params(learning_rate_init=1e-30).partial_fit(X, y)
    w, b = model.coefs_[0][:, 0], model.intercepts_[0][0]
    model.partial_fit(X, y)
    seed = model._state["seed"]
    batches = np.array_split(np.arange(len(y)), [200, 400])
    losses = []
    for step, rows in enumerate(batches, start=3):
        keep = 2.0 * ~Draws(seed, step).happens(2, 0.5, (len(rows), 10))
        r = (X[rows] * keep) @ w + b - y[rows]
        step_size = 0.4 * X.std(axis=0) * np.sign(r[:, None] * w)
        moved = (X[rows] * keep + step_size * keep) @ w + b - y[rows]
        losses.append(0.25 * (r**2).sum() + 0.25 * (moved**2).sum())
    assert model.loss_ == pytest.approx(sum(losses) / len(y), rel=1e-9)


def test_quantiles_share_their_target_in_distances():
    """Three levels of one half make three times the same step: their partners are the same.

    Targets far from 0, so that the signs of the residuals do not depend on the initial weights.
    """
    rng = np.random.RandomState(0)
    X, y = rng.randn(50, 3), rng.choice([-20, 20], 50) + rng.randn(50)
    params = {**ONE_STEP, "mixup": 1.0, "mixup_bandwidth": 0.05, "max_iter": 1}
    one, several = (
        fit_quietly(MLPRegressor(**params, loss="quantile", quantile=q), X, y)
        for q in (0.5, [0.5, 0.5, 0.5])
    )
    steps = []
    for model in (one, several):
        start = clone(model).set_params(learning_rate_init=1e-12)
        steps.append(model.coefs_[0] - fit_quietly(start, X, y).coefs_[0])
    assert_allclose(steps[1], np.repeat(steps[0], 3, axis=1), atol=1e-10)
    assert np.abs(steps[0]).max() > 1e-3


def test_the_last_run_of_partners_is_no_single_row():
    """1025 rows make two runs of about equal length, and no row is left to itself."""
    n = 1025
    X, Y = np.eye(n), np.eye(n)[:, -1:]  # the last row alone has a target other than 0
    model = MLPRegressor(**ONE_STEP, batch_size=n, max_iter=1, mixup=50.0, mixup_bandwidth=1e9)
    start = clone(model).set_params(learning_rate_init=1e-12)
    step = fit_quietly(model, X, Y[:, 0]).coefs_[0] - fit_quietly(start, X, Y[:, 0]).coefs_[0]
    assert np.isfinite(step).all()
    alone = clone(model).set_params(mixup=0.0, mixup_bandwidth=None)
    unmixed = fit_quietly(alone, X, Y[:, 0]).coefs_[0] - fit_quietly(start, X, Y[:, 0]).coefs_[0]
    # Unmixed, the last row alone pulls at the last weight; mixed by half, so do others.
    assert abs(step[-1, 0] - unmixed[-1, 0]) > 0.1 * abs(unmixed[-1, 0])


@pytest.mark.parametrize("params", [{}, {"mixup": 0.5, "input_noise": 0.1}], ids=str)
def test_validation_rows_may_be_sparse(params):
    """Only training rows are changed; a sparse batch may follow a dense one."""
    rng = np.random.RandomState(0)
    X, y = rng.randn(60, 4), rng.randn(60)
    X_val = sp.csr_matrix(X[:20])
    model = MLPRegressor(**params, early_stopping=True, max_iter=3, random_state=0)
    sparse = fit_quietly(clone(model), X, y, X_val=X_val, y_val=y[:20])
    dense = fit_quietly(model, X, y, X_val=X[:20], y_val=y[:20])
    assert_allclose(sparse.validation_loss_curve_, dense.validation_loss_curve_, rtol=1e-12)


@pytest.mark.parametrize("name", ["X", "y"])
def test_columns_whose_deviation_overflows(name):
    """The units of noise are not infinite without a word."""
    rng = np.random.RandomState(0)
    data = {"X": rng.randn(12, 5), "y": rng.randn(12)}
    data[name] = data[name] * 1e300
    with pytest.raises(ValueError, match=f"in {name} are too large.*Scale {name}"):
        MLPRegressor(input_noise=0.1).fit(**data)
