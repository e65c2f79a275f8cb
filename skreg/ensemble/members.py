"""Members: what an ensemble over folds is given, and the networks inside of those that it has."""

import copy

from sklearn.base import clone
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import (
    _check_feature_names,
    _check_y,
    _num_features,
)

from skreg.common import warn
from skreg.data.rows import check_arrays, check_weights
from skreg.data.targets import flat, prepared
from skreg.ensemble.fronts import layer_of
from skreg.ensemble.telling import checkpoints_for
from skreg.training.callbacks import checkpoints_of, has_callbacks

# Parameters of a member that an ensemble decides on itself.
MOOT = ("random_state", "validation_fraction", "warm_start")


def member_for(ensemble, default):
    """The unfitted member of an ensemble; what it validates on is its fold."""
    estimator = default if ensemble.estimator is None else clone(ensemble.estimator)
    network = network_within(estimator)
    check_network(network, default)
    tell_callbacks(network, type(ensemble).__name__)
    network.set_callbacks(*checkpoints_for(ensemble), *checkpoints_of(network))
    network.set_params(early_stopping=True, warm_start=False)
    return estimator


def check_network(network, default):
    """Errors for what cannot be validated on a fold; a warning for what it is not asked for."""
    check_kind(network, default)
    if network.solver == "lbfgs":
        raise ValueError(
            "solver='lbfgs' does not train in epochs, which a validation fold could stop. Use "
            "solver='adam' or 'sgd'."
        )
    moot = [name for name in MOOT if getattr(network, name) != getattr(default, name)]
    if moot:
        warn(
            f"{', '.join(moot)} of the estimator: no effect, since each network on a fold has a "
            "seed from the random_state of what trains them all, begins anew, and validates on "
            "the fold that it does not train on.",
            once=True,
        )


def tell_callbacks(network, name):
    """A warning for callbacks of a network that trains beside others."""
    if has_callbacks(network):
        warn(
            "Callbacks of the estimator are not called, since its networks train side by side. "
            f"Set them by the set_callbacks of {name}."
        )


def refuse_checkpoints(estimator, name):
    """Errors for a Checkpoint of what `name` trains, or of itself, where no fit goes on."""
    if checkpoints_of(estimator):
        raise ValueError(
            f"{name} keeps no file of its trainings, so a Checkpoint would do nothing. Leave it "
            "out, or set it for a fit with the parameters that were found."
        )


def check_kind(network, default):
    """Errors for other estimators."""
    if not isinstance(network, type(default)):
        raise TypeError(
            f"estimator must be a {type(default).__name__}, or a Pipeline that ends in one, got "
            f"{type(network).__name__}. Its validation set is the fold that it does not train on."
        )


def check_rows(ensemble, estimator, X, y, sample_weight):
    """What is passed to fit, as arrays where a network gets it as it is."""
    if estimator is network_within(estimator):
        X, y = check_arrays(ensemble, X, y, numeric=ensemble._numeric, reset=True)
    else:
        y = prepared(y, numeric=ensemble._numeric)
        y = flat(_check_y(y, multi_output=True, y_numeric=ensemble._numeric, estimator=ensemble))
        check_consistent_length(X, y)
        know_columns(ensemble, X)
    return X, y, check_weights(sample_weight, X)


def know_columns(ensemble, X):
    """Set number and names of the columns of X, whatever it holds."""
    for name in ("feature_names_in_", "n_features_in_"):
        vars(ensemble).pop(name, None)
    try:
        ensemble.n_features_in_ = _num_features(X)
    except TypeError:  # texts and dicts, which the first step of a pipeline takes, have none
        return
    _check_feature_names(ensemble, X, reset=True)


def network_within(estimator):
    """The network inside of an estimator, fitted or not."""
    while layer := layer_of(estimator):
        estimator = layer.inside(estimator)
    return estimator


def reached(member, X):
    """The network within a fitted member, and the X of the ensemble as it gets there."""
    while layer := layer_of(member):
        X, member = layer.through(member, X), layer.inside(member)
    return member, X


def outputs(member, X, link):
    """Those of the network within a fitted member, for the X of the ensemble."""
    network, Z = reached(member, X)
    return network._network.outputs(Z, link) if network is member else network._outputs(Z, link)


def nameless(member):
    """A copy that takes arrays for the frames that it knows, without a warning."""
    member = copy.copy(member)
    vars(member).pop("feature_names_in_", None)
    return member
