"""The training tasks of the benchmarks, and functions that do them with each library.

Imports NumPy: a script that sets the number of threads in the environment does so before.
"""

import functools
import time
import warnings
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning

try:
    import torch
except ImportError:
    torch = None

# --- the work ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A data set, a network, and how many epochs the long fit has beyond the short one."""

    rows: int
    features: int
    hidden: tuple
    batch: int
    classes: int
    epochs: int
    regularized: bool = False
    alpha: float = 0.0
    density: float = 1.0  # below 1: rows in CSR
    dtype: str = "float32"

    @property
    def steps(self):
        """Training steps between the long and the short fit."""
        return self.epochs * -(-self.rows // self.batch)

    @property
    def variant(self):
        return "d+bn" if self.regularized else "plain"

    def __str__(self):
        same = len(self.hidden) > 2 and len(set(self.hidden)) == 1
        hidden = f"{len(self.hidden)} x {self.hidden[0]}" if same else str(self.hidden)
        filled = f" CSR, {100 * self.density:g} % filled" if self.density < 1 else ""
        data = f"{self.rows} x {self.features}{filled}, {self.classes} classes"
        return f"{data}, hidden {hidden}, batch {self.batch}"


CASES = {
    "tiny": Case(1000, 20, (64,), 32, 2, epochs=200),
    "digits": Case(1437, 64, (64, 64), 64, 10, epochs=100),
    "table": Case(20000, 100, (128, 128), 128, 2, epochs=8),
    "wide": Case(60000, 784, (512, 512), 256, 10, epochs=1),
    "deep": Case(5000, 50, (512,) * 9, 128, 5, epochs=2),
    "text": Case(20000, 10000, (64,), 128, 2, epochs=2, density=0.005),
}
SHORT = 1  # epochs of the short fit
VARIANTS = ["plain", "d+bn"]


@functools.lru_cache(maxsize=1)
def make_data(rows, features, classes, density, dtype):
    """Standard normal features, labels from a noisy linear rule that a network can learn."""
    rng = np.random.RandomState(0)
    if density < 1:
        X = sp.random(rows, features, density, "csr", np.float32, rng, data_rvs=rng.standard_normal)
    else:
        X = rng.standard_normal((rows, features)).astype(dtype)
    scores = X @ rng.standard_normal((features, classes)).astype(dtype)
    noise = rng.standard_normal(scores.shape).astype(dtype)
    return X.astype(dtype), np.argmax(scores + noise * (features * density) ** 0.5, axis=1)


def data_of(case):
    return make_data(case.rows, case.features, case.classes, case.density, case.dtype)


# --- the contestants: functions from a case and a number of epochs to seconds --------------------


def shared_parameters(case, epochs):
    """What both estimators are given: full length, no early stop."""
    return {
        "hidden_layer_sizes": case.hidden,
        "batch_size": case.batch,
        "max_iter": epochs,
        "tol": 0.0,
        "n_iter_no_change": np.inf,
        "random_state": 0,
    }


def skreg_model(case, epochs):
    from skreg import MLPClassifier

    extra = {"dropout": 0.5, "batch_norm": True} if case.regularized else {}
    return MLPClassifier(alpha=case.alpha, **shared_parameters(case, epochs), **extra)


def fit_skreg(case, epochs):
    return timed_fit(skreg_model(case, epochs), case)


def weights_of(case):
    """All weights and biases of skreg's network after a fit."""
    model = skreg_model(case, case.epochs)
    timed_fit(model, case)
    return np.concatenate([w.ravel() for w in [*model.coefs_, *model.intercepts_]])


def fit_sklearn(case, epochs):
    from sklearn.neural_network import MLPClassifier

    # scikit-learn divides its alpha by the batch size.
    model = MLPClassifier(alpha=case.alpha * case.batch, **shared_parameters(case, epochs))
    return timed_fit(model, case)


def timed_fit(model, case):
    X, y = data_of(case)
    with warnings.catch_warnings():
        # Stopping at max_iter is the purpose here.
        warnings.simplefilter("ignore", ConvergenceWarning)
        start = time.perf_counter()
        model.fit(X, y)
        seconds = time.perf_counter() - start
    if model.n_iter_ != model.max_iter:
        raise RuntimeError(f"{model} stopped after {model.n_iter_} epochs: not the same work")
    return seconds


def fit_torch(case, epochs, make_objective=None):
    X, y = data_of(case)
    start = time.perf_counter()
    torch.manual_seed(0)
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    if case.classes == 2:
        y = y.to(X.dtype).reshape(-1, 1)
    net, objective = (make_objective or plain_objective)(case)
    optimizer = torch.optim.Adam(net.parameters(), fused=True, weight_decay=case.alpha)
    for _ in range(epochs):
        for batch in torch.randperm(len(X)).split(case.batch):
            optimizer.zero_grad()
            # index_select is PyTorch's fastest way to pick rows, three times faster than X[batch].
            objective(X.index_select(0, batch), y.index_select(0, batch)).backward()
            optimizer.step()
    return time.perf_counter() - start


def fit_torch_compiled(case, epochs):
    return fit_torch(case, epochs, compiled_objective)


def plain_objective(case):
    """A network, and its loss as a function of a batch."""
    net = torch_network(case).to(getattr(torch, case.dtype))
    loss = torch.nn.BCEWithLogitsLoss() if case.classes == 2 else torch.nn.CrossEntropyLoss()
    return net, lambda X, y: loss(net(X), y)


def compiled_objective(case):
    """The same, compiled; with fresh weights."""
    net, objective = compiled(case)
    for layer in net:
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    return net, objective


@functools.lru_cache(maxsize=1)
def compiled(case):
    """Once for all fits of a case, for the two sizes of its batches."""
    torch.compiler.reset()
    net, objective = plain_objective(case)
    return net, torch.compile(objective, dynamic=False)


def torch_network(case):
    """Dense, batch norm, ReLU, dropout; like skreg without the bias that batch norm cancels."""
    layers, width = [], case.features
    for units in case.hidden:
        layers.append(torch.nn.Linear(width, units, bias=not case.regularized))
        if case.regularized:
            layers.append(torch.nn.BatchNorm1d(units))
        layers.append(torch.nn.ReLU(inplace=True))
        if case.regularized:
            layers.append(torch.nn.Dropout(0.5))
        width = units
    outputs = 1 if case.classes == 2 else case.classes
    return torch.nn.Sequential(*layers, torch.nn.Linear(width, outputs)).train()
