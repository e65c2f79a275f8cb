"""MLPClassifier: signature, labels, and predictions.

The signature and its texts are written by docs/signature/write.py, from parameters.txt there.
"""

import numpy as np
from scipy.special import log_softmax
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    check_classification_targets,
    unique_labels,
)

from skreg.base import BaseMLP
from skreg.common import all_or_nothing
from skreg.data.targets import Labels
from skreg.regularization.techniques import constraints_of


class MLPClassifier(ClassifierMixin, BaseMLP):
    """Multilayer perceptron classifier with every regularization technique as a parameter.

    Minimizes the log loss: with a softmax for several classes, a logistic output for two classes
    and for multilabel targets. Takes the place of :class:`sklearn.neural_network.MLPClassifier`,
    with the same parameters in the same order; those from `penalty` on are new. Two defaults differ
    in what they mean, `alpha` and `n_iter_no_change`, and early stopping watches the loss, which
    `scoring` changes.

    Try these six first, in this order: `early_stopping`, `hidden_layer_sizes`,
    `learning_rate_init`, `dropout`, `input_noise` and `weight_decay` (:doc:`/tuning`).

    The parameters by purpose:

    ======================  ========================================================================
    network                 `hidden_layer_sizes`, `activation`, `weight_init`, `residual`
    optimizer               `solver`, `batch_size`, `shuffle`, `momentum`, `nesterovs_momentum`,
                            `beta_1`, `beta_2`, `epsilon`, `clip_norm`
    schedule                `learning_rate`, `learning_rate_init`, `power_t`, `warmup`
    penalties               `penalty`, `alpha`, `l1_ratio`, `weight_decay`, `feature_alpha`,
                            `unit_alpha`, `max_norm`
    noise in layers         `dropout`, `input_dropout`, `dropout_kind`, `stochastic_depth`
    normalization           `batch_norm`, `batch_norm_momentum`, `batch_norm_epsilon`, `layer_norm`
    noise in rows           `input_noise`, `swap_noise`, `mixup`, `cutmix`, `cutout`,
                            `adversarial_epsilon`, `augmentation`
    targets and loss        `class_weight`, `label_smoothing`
    stopping and averaging  `early_stopping`, `max_iter`, `tol`, `validation_fraction`,
                            `n_iter_no_change`, `max_fun`, `scoring`, `restore_best`, `time_limit`,
                            `weight_averaging`, `ema_decay`, `swa_start`
    running                 `random_state`, `verbose`, `warm_start`
    ======================  ========================================================================

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of shape (n_hidden,), default=(100,)
        Number of units of each hidden layer. ``()`` is the regularized linear or softmax model.
        See: :doc:`/tuning`.

    activation : str or array-like of shape (n_hidden,), default='relu'
        Activation of the hidden layers, one for all or one for each: 'identity', 'logistic',
        'tanh', 'relu', 'leaky_relu', 'elu', 'selu', 'gelu', 'silu', 'mish', 'softplus'. See:
        :doc:`/activations`.

    solver : {'lbfgs', 'sgd', 'adam'}, default='adam'
        'adam' [1]_ and 'sgd' train in epochs of mini-batches; 'lbfgs' minimizes the objective over
        all rows at once, in float64, and suits small data. Dropout, batch norm and early stopping
        need epochs.

    alpha : float, default=0.0001
        Strength of the penalty, in [0, inf): the objective is

        ``sum(s * loss) / sum(s) + alpha * (l1_ratio * sum(|w|) + (1 - l1_ratio) / 2 * sum(w**2))``

        over all weights ``w`` (never biases or batch-norm parameters), where `l1_ratio` counts as 1
        for ``penalty="l1"`` and as 0 for ``penalty="l2"``. Note that scikit-learn's MLP divides its
        `alpha` by the batch size: ``alpha_sklearn = alpha_skreg * batch_size``. See:
        :doc:`/regularization/l2`.

    batch_size : int or 'auto', default='auto'
        Rows per mini-batch; 'auto' is ``min(200, n_samples)``.

    learning_rate : str, default='constant'
        Schedule of the learning rate. 'invscaling' and 'adaptive' act on ``solver='sgd'`` alone:
        the rate of 'invscaling' is ``learning_rate_init / (t + 1) ** power_t`` after each epoch,
        with t samples seen; that of 'adaptive' is divided by 5 whenever `n_iter_no_change` epochs
        bring no progress, until it is at most 1e-6. The others act on 'sgd' and 'adam': 'plateau'
        divides by 5 after ``n_iter_no_change // 2`` epochs without a lower validation loss (or
        training loss, where nothing is validated); 'cosine', 'cosine_restarts', 'one_cycle' and
        'flat_cosine' go from `learning_rate_init` (the largest rate of 'one_cycle') to about 0
        within `max_iter` epochs. See: :doc:`/learning_rates`.

    learning_rate_init : float, default=0.001
        Initial learning rate, in (0, inf). See: :doc:`/tuning`.

    power_t : float, default=0.5
        Exponent of 'invscaling', in [0, inf).

    max_iter : int, default=200
        Largest number of epochs, or of iterations of 'lbfgs'.

    shuffle : bool, default=True
        Whether to shuffle the rows in each epoch.

    random_state : int, RandomState instance or None, default=None
        Determines initial weights, the validation split, the order of the batches, and the random
        numbers of dropout, noise and mixtures. The same seed gives the same bits.

    tol : float, default=1e-4
        Smallest change of the loss (or validation score) that counts as progress, in [0, inf). For
        'lbfgs' the tolerance on the gradient.

    verbose : bool, default=False
        Whether to print a line for each epoch, or each iteration of 'lbfgs': loss, seconds,
        learning rate, validation loss and score, the best epoch so far.

    warm_start : bool, default=False
        Whether `fit` continues from the weights of the fit before. The state of the optimizer is
        reset.

    momentum : float, default=0.9
        Momentum of 'sgd', in [0, 1].

    nesterovs_momentum : bool, default=True
        Whether to use Nesterov's momentum, for 'sgd'.

    early_stopping : bool, default=False
        Whether to set rows aside, to stop when the validation score does not improve by `tol` for
        more than `n_iter_no_change` epochs, and to return the best weights. See:
        :doc:`/regularization/early_stopping`.

    validation_fraction : float, default=0.1
        Share of the rows to set aside, in [0, 1). See: :doc:`/regularization/early_stopping`.

    beta_1 : float, default=0.9
        Decay of the first moment of 'adam', in [0, 1).

    beta_2 : float, default=0.999
        Decay of the second moment of 'adam', in [0, 1).

    epsilon : float, default=1e-8
        Numerical stability of 'adam', in (0, inf).

    n_iter_no_change : int, inf or 'auto', default='auto'
        Epochs without progress before training stops. 'auto': where early stopping watches the loss
        or a scorer, 20 and half of the epochs up to the last gain, since regularized networks
        improve late and in jumps; 10, as in scikit-learn's MLP, without `early_stopping` and with
        ``scoring=None``. In either case a `learning_rate` that is planned to the end runs to it.
        See: :doc:`/regularization/early_stopping`.

    max_fun : int, default=15000
        Largest number of evaluations of the loss by 'lbfgs'.

    penalty : {'l1', 'l2', 'elasticnet'} or None, default='l2'
        Penalty on all weights. With an L1 part, weights become exactly 0 through a proximal step;
        with mini-batches a weight stays at 0 only while its averaged gradient is within
        ``alpha * l1_ratio``. See: :doc:`/regularization/l2`, :doc:`/regularization/l1`.

    l1_ratio : float, default=0.15
        Share of L1 in ``penalty="elasticnet"``, in [0, 1]. See: :doc:`/regularization/elastic_net`.

    dropout : float or array-like of shape (n_hidden,), default=0.0
        Probability that a hidden unit is dropped, in [0, 1): one for all layers or one for each.
        Units that are kept are scaled by ``1 / (1 - dropout)``; nothing is dropped in predictions
        [2]_. See: :doc:`/regularization/dropout`.

    input_dropout : float, default=0.0
        As `dropout`, for the input features. See: :doc:`/regularization/dropout`.

    batch_norm : bool, default=False
        Whether to normalize each hidden layer over the batch before its activation [3]_. The dense
        layers before it have no bias. Moments are weighted by `sample_weight`; a last batch of one
        row joins the batch before it. See: :doc:`/regularization/batch_norm`.

    batch_norm_momentum : float, default=0.1
        Weight of the newest batch in the running statistics, in (0, 1] (PyTorch's meaning). See:
        :doc:`/regularization/batch_norm`.

    batch_norm_epsilon : float, default=1e-5
        Added to the variance, in (0, inf). See: :doc:`/regularization/batch_norm`.

    scoring : str, callable or None, default='loss'
        What early stopping watches: ``"loss"`` the validation loss without penalties, None the
        estimator's `score` (as scikit-learn's MLP does), else a scorer's name or a callable
        ``(estimator, X, y) -> float``, higher is better. Sample weights go to scorers that take a
        `sample_weight`. See: :doc:`/regularization/early_stopping`.

    clip_norm : float or None, default=None
        Largest norm of the gradient over all parameters, in (0, inf); longer ones are rescaled
        before the optimizer's step [4]_. See: :doc:`/regularization/gradient_clipping`.

    weight_decay : float, default=0.0
        Decoupled decay, in [0, inf): weights are multiplied by ``1 - rate * weight_decay`` before
        the step of 'adam' or 'sgd' [5]_. Its effect follows the learning rate. See:
        :doc:`/regularization/weight_decay`.

    feature_alpha : float, default=0.0
        Strength of a group lasso on the outgoing weights of each input, in [0, inf), which adds
        ``feature_alpha * sum(norm(w_j))`` to the objective [6]_: all weights of a feature can
        become exactly 0 together, and the feature can be dropped. See `support_`. See:
        :doc:`/regularization/group_lasso`.

    unit_alpha : float, default=0.0
        As `feature_alpha`, on the outgoing weights of each hidden unit: whole units can be dropped.
        See `compact`. See: :doc:`/regularization/group_lasso`.

    max_norm : float or None, default=None
        Largest norm of the incoming weights of a hidden unit, in (0, inf), to which longer ones are
        rescaled after each step [2]_. See: :doc:`/regularization/max_norm`.

    restore_best : bool, default=True
        Whether early stopping returns the best weights, or the last. See:
        :doc:`/regularization/early_stopping`.

    warmup : float, default=0.0
        Share of training, in [0, 1), in which the learning rate rises linearly from 0. See:
        :doc:`/learning_rates`.

    weight_init : {'auto', 'he', 'lecun', 'orthogonal'}, default='auto'
        Initial weights: 'auto' scikit-learn's uniform ones [7]_, 'he' normal with variance
        ``2 / n_in``, 'lecun' normal with variance ``1 / n_in``, or 'orthogonal'. Biases begin at 0,
        with 'auto' at random. See: :doc:`/activations`.

    time_limit : float or None, default=None
        Seconds after which training stops between two batches, with a warning and a usable model.

    weight_averaging : {'ema', 'swa'} or None, default=None
        Average of the weights that is used for validation and prediction: 'ema' an exponential
        moving average over the steps, 'swa' the mean over the epochs from `swa_start` on [8]_.
        Batch-norm statistics are recomputed for it; weights that are exactly 0 at the end are 0 in
        it. See: :doc:`/regularization/weight_averaging`.

    ema_decay : float, default=0.999
        Decay of 'ema', in (0, 1): the share that the average keeps in each step; bias-corrected.
        See: :doc:`/regularization/weight_averaging`.

    swa_start : float, default=0.75
        Share of `max_iter` after which 'swa' begins, in [0, 1). See:
        :doc:`/regularization/weight_averaging`.

    input_noise : float, default=0.0
        Standard deviation of normal noise on the inputs of each step, in standard deviations of
        each feature over the training rows, in [0, inf) [9]_. As with all noise in rows, zeros are
        values, and batches of sparse X are made dense: `batch_size` x `n_features` numbers. See:
        :doc:`/regularization/input_noise`.

    swap_noise : float, default=0.0
        Probability that a value is replaced by that of another row of the batch, in [0, 1). See:
        :doc:`/regularization/swap_noise`.

    mixup : float, default=0.0
        Mixes each row with another one of the batch, ``w * x_i + (1 - w) * x_j`` with ``w`` from
        the distribution Beta(mixup, mixup), and their targets likewise, in [0, inf) [10]_.
        ``loss_curve_`` shows the loss of the mixtures. See: :doc:`/regularization/mixup`.

    cutmix : float, default=0.0
        Probability that a column of a row is taken from another row of the batch, in [0, 1); the
        targets mix by the share of columns that was taken [11]_. The augmenter `CutMix` draws that
        share anew for each row. See: :doc:`/regularization/cutmix`.

    cutout : float, default=0.0
        Probability that a value is set to its feature's mean over the training rows, in [0, 1)
        [12]_. See: :doc:`/regularization/cutmix`.

    adversarial_epsilon : float, default=0.0
        Half of the loss is taken at ``x + adversarial_epsilon * std * sign(d loss / d x)``, with
        the standard deviation of each feature, in [0, inf) [13]_. A step takes about twice as long.
        See: :doc:`/regularization/adversarial`.

    layer_norm : bool, default=False
        Whether to normalize each row over the units of a hidden layer before its activation,
        instead of `batch_norm` [14]_. Cannot be folded into `coefs_`. See:
        :doc:`/regularization/layer_norm`.

    dropout_kind : {'standard', 'gaussian', 'alpha', 'connect'}, default='standard'
        What `dropout` does with hidden units: 'standard' sets them to 0; 'gaussian' multiplies them
        by normal numbers around 1 with variance ``p / (1 - p)`` [2]_; 'alpha' sets them to selu's
        lower limit and keeps mean and variance, for ``activation='selu'`` and p up to 0.1 [15]_;
        'connect' drops single incoming weights of the layer, the same ones for all rows of a batch
        [16]_. See: :doc:`/regularization/dropout`.

    residual : bool, default=False
        Whether to add to each pair of hidden layers, before the activation of its second layer, the
        output of the layer before the pair, where all three are equally wide [17]_. See:
        :doc:`/regularization/residual`.

    stochastic_depth : float, default=0.0
        Probability that a row skips the last pair of layers of `residual`, in [0, 1); for the pairs
        before it, in proportion to their depth [18]_. See: :doc:`/regularization/residual`.

    augmentation : augmenter or None, default=None
        An augmenter of ``skreg.augmentation``, such as `RandomRotation(image_shape=(28, 28))` or a
        `Compose`: training sees a fresh random variant of every row in every epoch. It learns what
        it needs from the training rows (in `partial_fit` from those of the call); validation rows
        and what is predicted are never augmented. Sparse X is made dense chunk by chunk. Augmenters
        that mix targets are refused: see `mixup`, `cutmix`. Variants follow from `random_state`,
        unless the augmenter has one of its own. See: :doc:`/augmentation/index`.

    class_weight : dict, 'balanced' or None, default=None
        Weights of the classes, multiplied with `sample_weight` in training and in the validation
        loss: a dict ``{label: weight}``, or with 'balanced' ``n_samples / (n_classes * count)``
        from all y of `fit`. Not for multilabel targets or `partial_fit`. See:
        :doc:`/regularization/class_weights`.

    label_smoothing : float, default=0.0
        Trains towards ``(1 - label_smoothing) * y + label_smoothing / n_classes``, in [0, 1) [19]_
        (n_classes is 2 for each label of multilabel targets). Losses are reported on the labels as
        they are. See: :doc:`/regularization/label_smoothing`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels of the classes.

    coefs_ : list of ndarrays of shape (n_in, n_out)
        Weights of the network that predicts, one array for each layer after the input; batch norm
        is folded into them.

    intercepts_ : list of ndarrays of shape (n_out,)
        Biases of the network that predicts.

    loss_ : float
        Objective of the last epoch (mean over its batches), penalty included.

    loss_curve_ : list of float
        `loss_` of every epoch. Not for 'lbfgs'.

    lr_curve_ : list of float
        Learning rate at the end of every epoch. Not for 'lbfgs'.

    history_ : dict of str to list of float
        All curves by name, one number an epoch, also of the fits that a warm start goes on from; of
        'lbfgs' one an iteration of the last fit. ``pd.DataFrame(model.history_)`` is a table of
        them. 'objective', which is `loss_curve_`; 'training_loss', the same without penalties, of
        the rows as they were changed, with dropout; 'validation_loss' and 'validation_score', where
        rows are validated on, nan in epochs before; 'learning_rate', not for 'lbfgs'; 'seconds',
        the time that it took.

    best_loss_ : float or None
        Smallest value of `loss_curve_`; None with `early_stopping`.

    validation_scores_ : list of float or None
        Score of every epoch, higher is better: the negative validation loss for ``scoring="loss"``.
        None without `early_stopping`.

    validation_loss_curve_ : list of float or None
        Validation loss of every epoch, without penalties. None without `early_stopping`.

    best_validation_score_ : float or None
        The largest validation score; that of the weights that are kept, with `restore_best`.

    best_iter_ : int or None
        The epoch of `best_validation_score_`, counted from 1 along `validation_scores_`; None where
        a warm start found nothing better than what it started from.

    sparsity_ : float
        Fraction of the weights in `coefs_` that are exactly 0.

    support_ : ndarray of shape (n_features,)
        Mask of the features that have a weight other than 0.

    feature_importances_ : ndarray of shape (n_features,)
        L2 norm of each input's outgoing weights over the sum of all norms. Comparable between
        features on the same scale only.

    n_iter_ : int
        Epochs (or iterations of 'lbfgs') of the last fit.

    t_ : int
        Number of training rows seen.

    n_layers_ : int
        Number of layers, input and output included.

    n_outputs_ : int
        Number of outputs.

    out_activation_ : str
        Activation of the output layer.

    n_features_in_ : int
        Number of features seen during `fit`.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where all are strings.

    See Also
    --------
    MLPRegressor : The same for regression.
    TabularClassifier : An ensemble of these for raw tables, without tuning.
    RegularizationSearchCV : Tunes the regularizers.
    sklearn.neural_network.MLPClassifier : scikit-learn's own, with an L2 penalty only.

    References
    ----------
    .. [1] Kingma and Ba (2015). "Adam: a method for stochastic optimization". ICLR.
    .. [2] Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014). "Dropout: a simple
       way to prevent neural networks from overfitting". JMLR 15.
    .. [3] Ioffe and Szegedy (2015). "Batch normalization: accelerating deep network training by
       reducing internal covariate shift". ICML.
    .. [4] Pascanu, Mikolov and Bengio (2013). "On the difficulty of training recurrent neural
       networks". ICML.
    .. [5] Loshchilov and Hutter (2019). "Decoupled weight decay regularization". ICLR.
    .. [6] Yuan and Lin (2006). "Model selection and estimation in regression with grouped
       variables". JRSS B 68.
    .. [7] Glorot and Bengio (2010). "Understanding the difficulty of training deep feedforward
       neural networks". AISTATS.
    .. [8] Izmailov, Podoprikhin, Garipov, Vetrov and Wilson (2018). "Averaging weights leads to
       wider optima and better generalization". UAI.
    .. [9] Bishop (1995). "Training with noise is equivalent to Tikhonov regularization". Neural
       Computation 7.
    .. [10] Zhang, Cisse, Dauphin and Lopez-Paz (2018). "mixup: beyond empirical risk minimization".
       ICLR.
    .. [11] Yun, Han, Oh, Chun, Choe and Yoo (2019). "CutMix: regularization strategy to train
       strong classifiers with localizable features". ICCV.
    .. [12] DeVries and Taylor (2017). "Improved regularization of convolutional neural networks
       with cutout". arXiv:1708.04552.
    .. [13] Goodfellow, Shlens and Szegedy (2015). "Explaining and harnessing adversarial examples".
       ICLR.
    .. [14] Ba, Kiros and Hinton (2016). "Layer normalization". arXiv:1607.06450.
    .. [15] Klambauer, Unterthiner, Mayr and Hochreiter (2017). "Self-normalizing neural networks".
       NeurIPS.
    .. [16] Wan, Zeiler, Zhang, LeCun and Fergus (2013). "Regularization of neural networks using
       DropConnect". ICML.
    .. [17] He, Zhang, Ren and Sun (2016). "Deep residual learning for image recognition". CVPR.
    .. [18] Huang, Sun, Liu, Sedra and Weinberger (2016). "Deep networks with stochastic depth".
       ECCV.
    .. [19] Szegedy, Vanhoucke, Ioffe, Shlens and Wojna (2016). "Rethinking the Inception
       architecture for computer vision". CVPR.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skreg import MLPClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    >>> clf = make_pipeline(
    ...     StandardScaler(),
    ...     MLPClassifier((64,), learning_rate_init=0.01, dropout=0.5, early_stopping=True),
    ... )
    >>> clf.set_params(mlpclassifier__random_state=0).fit(X_train, y_train).score(X_test, y_test)
    0.9...
    """

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change="auto",
        max_fun=15000,
        penalty="l2",
        l1_ratio=0.15,
        dropout=0.0,
        input_dropout=0.0,
        batch_norm=False,
        batch_norm_momentum=0.1,
        batch_norm_epsilon=1e-5,
        scoring="loss",
        clip_norm=None,
        weight_decay=0.0,
        feature_alpha=0.0,
        unit_alpha=0.0,
        max_norm=None,
        restore_best=True,
        warmup=0.0,
        weight_init="auto",
        time_limit=None,
        weight_averaging=None,
        ema_decay=0.999,
        swa_start=0.75,
        input_noise=0.0,
        swap_noise=0.0,
        mixup=0.0,
        cutmix=0.0,
        cutout=0.0,
        adversarial_epsilon=0.0,
        layer_norm=False,
        dropout_kind="standard",
        residual=False,
        stochastic_depth=0.0,
        augmentation=None,
        class_weight=None,
        label_smoothing=0.0,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.penalty = penalty
        self.l1_ratio = l1_ratio
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.batch_norm = batch_norm
        self.batch_norm_momentum = batch_norm_momentum
        self.batch_norm_epsilon = batch_norm_epsilon
        self.scoring = scoring
        self.clip_norm = clip_norm
        self.weight_decay = weight_decay
        self.feature_alpha = feature_alpha
        self.unit_alpha = unit_alpha
        self.max_norm = max_norm
        self.restore_best = restore_best
        self.warmup = warmup
        self.weight_init = weight_init
        self.time_limit = time_limit
        self.weight_averaging = weight_averaging
        self.ema_decay = ema_decay
        self.swa_start = swa_start
        self.input_noise = input_noise
        self.swap_noise = swap_noise
        self.mixup = mixup
        self.cutmix = cutmix
        self.cutout = cutout
        self.adversarial_epsilon = adversarial_epsilon
        self.layer_norm = layer_norm
        self.dropout_kind = dropout_kind
        self.residual = residual
        self.stochastic_depth = stochastic_depth
        self.augmentation = augmentation
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing

    _parameter_constraints: dict = constraints_of(__init__)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Float32 is trained in float32, everything else in float64.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels, or an indicator matrix for multilabel classification.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0 of the rows.

        X_val, y_val : like X and y, default=None
            Validation set for early stopping, in place of the split. In a `Pipeline`, `X_val` goes
            through the same steps with ``Pipeline(..., transform_input=["X_val"])``.

        sample_weight_val : array-like, default=None
            Weights of the validation rows.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            For values that do not fit together, and when training diverges with no good weights
            to fall back to. The estimator then stays as it was.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    @available_if(lambda est: est._check_partial_fit())
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None, classes=None):
        """Train for one epoch on the given rows, from the current weights.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels; they need not contain all classes.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0 of the rows.

        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come. Required in the first call.

        Returns
        -------
        self : object
            The estimator.
        """
        with all_or_nothing(self):
            _check_partial_fit_first_call(self, classes)
            return self._partial_fit(X, y, sample_weight)

    # ------------------------------------------------------------------------------- targets

    def _targets(self, y, before, *, partial):
        check_classification_targets(y)
        if before is None and not partial:
            return Labels.of(self, unique_labels(y), y)
        self._check_known(unique_labels(y), all_of_them=not partial)
        if before is None:
            return Labels.of(self, self.classes_, y)
        return Labels(self, self.classes_, self.n_outputs_, self.out_activation_)

    def _check_known(self, labels, *, all_of_them):
        if all_of_them and set(labels) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes_}, `y` has {labels}"
            )
        if len(np.setdiff1d(labels, self.classes_)):
            raise ValueError(
                "`y` has classes not in `self.classes_`. "
                f"`self.classes_` has {self.classes_}. 'y' has {labels}."
            )

    @property
    def _multilabel(self):
        return self.n_outputs_ > 1 and self.out_activation_ == "logistic"

    # --------------------------------------------------------------------------- predictions

    def predict(self, X):
        """Predict the labels of X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Labels, or the indicator matrix of multilabel targets.
        """
        p = self._outputs(X)
        if self._multilabel:
            return (p > 0.5).astype(int)
        index = p.argmax(axis=1) if p.shape[1] > 1 else (p[:, 0] > 0.5).astype(int)
        return self.classes_[np.minimum(index, len(self.classes_) - 1)]

    def score(self, X, y, sample_weight=None):
        """Accuracy: the weighted share of rows whose class, or all of whose labels, are predicted.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            True labels.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            Between 0 and 1.
        """
        predicted = self.predict(X)
        if sample_weight is None and _plainly_comparable(y, predicted):
            return float(np.mean(y == predicted))
        return float(accuracy_score(y, predicted, sample_weight=sample_weight))

    def predict_proba(self, X, *, n_draws=None):
        """Probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        n_draws : int, default=None
            Number of passes with dropout whose probabilities are averaged (Gal and Ghahramani,
            2016); batch norm and all else works as in prediction. None: a single pass without
            dropout.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`; for multilabel targets of each label on its own.
        """
        p = self._outputs(X) if n_draws is None else self._sampled_outputs(X, n_draws)[0]
        return np.hstack([1 - p, p]) if p.shape[1] == 1 else p

    def predict_log_proba(self, X):
        """Logarithms of the probabilities, finite also where these round to 0.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Input data.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        z = self._outputs(X, "identity")
        if self.out_activation_ == "softmax":
            log_p = log_softmax(z, axis=1)
        else:
            log_p = -np.logaddexp(0, -z if self._multilabel else np.hstack([z, -z]))
        # Near 1 the logarithm of what predict_proba returns, so that the two agree to the last bit.
        p = self.predict_proba(X)
        return np.log(p, out=log_p, where=p > 0.5)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _plainly_comparable(y, predicted):
    """Whether both are vectors of integers or of texts, of which there is nothing to check.

    A search over small tables scores thousands of networks; the checks take longer than predicting.
    """
    return (
        isinstance(y, np.ndarray)
        and y.shape == predicted.shape
        and y.ndim == 1
        and y.size > 0
        and y.dtype.kind == predicted.dtype.kind
        and y.dtype.kind in "iubU"
    )
