"""TECHNIQUES: all regularizers, in the order in which they act."""

import inspect

from skreg.network import architecture
from skreg.regularization import layers, penalties, rows, targets, trajectory
from skreg.training import optimization

TECHNIQUES = (
    # 1 data
    rows.Augmentation,
    rows.SwapNoise,
    rows.MixUp,
    rows.CutMix,
    rows.CutOut,
    rows.InputNoise,
    rows.Adversarial,
    # 2 layers
    layers.InputDropout,
    layers.Dropout,
    layers.BatchNorm,
    layers.LayerNorm,
    layers.Residual,
    layers.StochasticDepth,
    # 3 targets and loss
    targets.RobustLoss,
    targets.LabelSmoothing,
    targets.ClassWeight,
    # 5 gradient, 6 step, 7 prox
    penalties.L2,
    penalties.ClipNorm,
    penalties.WeightDecay,
    penalties.L1,
    penalties.FeatureAlpha,
    penalties.UnitAlpha,
    penalties.MaxNorm,
    # 8 trajectory
    trajectory.WeightAveraging,
    trajectory.Patience,
    trajectory.EarlyStopping,
    trajectory.Time,
    trajectory.Recalibration,
)

CONSTRAINTS: dict = {
    **architecture.CONSTRAINTS,
    **optimization.CONSTRAINTS,
    **{name: c for technique in TECHNIQUES for name, c in technique.parameters.items()},
}


def constraints_of(init):
    """The constraints of the parameters in a signature."""
    return {
        name: CONSTRAINTS[name] for name in inspect.signature(init).parameters if name != "self"
    }
