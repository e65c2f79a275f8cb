"""TableEncoder against NumPy, SciPy, scikit-learn and pandas: numbers, weights, categories."""

import collections
import itertools

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skreg import MLPClassifier
from skreg.preprocessing import TableEncoder
from skreg.preprocessing.numeric import Sample, auto_bins

pd = pytest.importorskip("pandas")

MODES = ["robust", "standard", "quantile", "piecewise_linear"]


def double(**params):
    return TableEncoder(dtype=np.float64, **params)


def every_check():
    """The checks as a list; older versions of scikit-learn hand pytest a generator."""
    marker = parametrize_with_checks([TableEncoder(numeric=mode) for mode in MODES])
    names, checks = marker.args
    return pytest.mark.parametrize(names, list(checks), **marker.kwargs)


@every_check()
def test_common_checks(estimator, check):
    """Every common check, without exception."""
    check(estimator)


@pytest.fixture
def frame(mixed_table):
    """Numbers, strings, categories and booleans, with missing values; a copy."""
    return mixed_table.copy()


@pytest.fixture(scope="module")
def numbers():
    """Columns of different shapes: heavy tails, ties, integers, and one value."""
    rng = np.random.RandomState(0)
    columns = [
        rng.standard_t(2, 700) * 50 + 1000, rng.poisson(1.5, 700), rng.lognormal(0, 2, 700),
        rng.uniform(-1, 1, 700), np.full(700, 0.1),
    ]  # fmt: skip
    X = np.column_stack(columns)
    X.flags.writeable = False
    return X


# ------------------------------------------------------------------------------- numbers


def test_robust_is_the_formula(numbers):
    """Median and quartiles are NumPy's; equal quartiles take those of the others, or the range."""
    X = numbers.copy()
    X[:, 1] = X[:, 1] > 5  # quartiles 0 and 0, and the others are equal
    X[:, 2] *= X[:, 3] > 0.6  # zeros with a tail
    low, middle, high = np.percentile(X, [25, 50, 75], axis=0)
    low[2], high[2] = np.percentile(X[X[:, 2] > 0, 2], [25, 75])
    scale = np.where(high > low, high - low, np.ptp(X, axis=0))
    z = (X - middle) / np.where(scale > 0, scale, 1)
    encoded = double(numeric="robust").fit_transform(X)
    assert_allclose(encoded, z / np.sqrt(1 + (z / 3) ** 2), atol=1e-12)
    assert scale[1] == 1 and high[1] == low[1]


def test_outliers_are_bounded(numbers):
    """Whatever comes, within the number type; the order of the numbers stays."""
    largest = np.finfo(np.float64).max
    encoder = TableEncoder(numeric="robust").fit(numbers[:, :1])
    Z = encoder.transform(np.array([-largest, -1e30, 0, 1000, 1e30, largest])[:, None])[:, 0]
    assert_allclose(Z[[0, -1]], [-3, 3])
    assert (np.diff(Z) >= 0).all()
    wide = TableEncoder().fit(numbers[:, :1]).transform([[-largest], [largest]])
    assert_allclose(wide[:, 0], [-10, 10])
    Z = TableEncoder(numeric="standard").fit(numbers[:, :1]).transform([[-largest], [largest]])
    assert np.isfinite(Z).all()
    with pytest.raises(ValueError, match=r"Column 'x0' holds numbers so large"):
        TableEncoder().fit([[-largest], [largest], [0]])


def test_standard_is_standard_scaler(numbers):
    assert_allclose(
        double(numeric="standard").fit_transform(numbers),
        StandardScaler().fit_transform(numbers),
        atol=1e-12,
    )


@pytest.mark.parametrize("n_rows", [50, 700, 5000])
def test_quantile_is_quantile_transformer(numbers, n_rows):
    """With continuous columns; where ties are at an end theirs is the end, ours the middle."""
    rng = np.random.RandomState(2)
    X = np.column_stack([rng.standard_t(2, n_rows), rng.lognormal(0, 2, n_rows)])
    theirs = QuantileTransformer(
        n_quantiles=min(n_rows, 1000), subsample=None, output_distribution="normal"
    ).fit(X)
    ours = double(numeric="quantile").fit(X)
    new = rng.standard_t(2, (500, 2)) * 3
    new[:, 1] = np.abs(new[:, 1])
    for Z in (X, new):
        # theirs puts what is within 1e-7 of an end at the end
        assert_allclose(ours.transform(Z), theirs.transform(Z), atol=1e-6)
    assert np.abs(ours.transform(new)).max() <= 5.2


def test_quantile_of_ties_is_the_middle_of_their_ranks():
    x = np.append(np.random.RandomState(3).poisson(1.0, 400), 20.0)
    ranks = (stats.rankdata(x) - 1) / (len(x) - 1)
    encoded = double(numeric="quantile").fit_transform(x[:, None])[:, 0]
    single = x == x.max()
    assert single.sum() == 1
    assert_allclose(encoded[~single], stats.norm.ppf(ranks[~single]), atol=1e-10)
    assert_allclose(double(numeric="quantile").fit_transform(np.full((9, 1), 0.1)), 0, atol=1e-12)


@pytest.mark.parametrize("n_bins", [2, 5, "auto"])
@pytest.mark.parametrize("weighted", [False, True])
def test_piecewise_linear_is_the_formula(numbers, n_bins, weighted):
    """Codes are those of the paper, less their mean, and a tenth."""
    weight = np.arange(len(numbers)) % 3 if weighted else np.ones(len(numbers), int)
    encoder = double(numeric="piecewise_linear", n_bins=n_bins)
    encoder.fit(numbers, sample_weight=weight if weighted else None)
    Z, begin = encoder.transform(numbers), 0
    z = StandardScaler().fit(numbers, sample_weight=weight).transform(numbers)
    z[:, -1] = 0  # of one value theirs is the root of a rounding error
    value = z / np.sqrt(1 + (z / 10) ** 2)
    for j, x in enumerate(numbers.T):
        edges = edges_by_hand(np.repeat(x, weight), 8 if n_bins == "auto" else n_bins)
        codes = [np.clip((x - a) / (b - a), 0, 1) for a, b in itertools.pairwise(edges)]
        expected = [0.1 * (code - np.average(code, weights=weight)) for code in codes]
        width = 1 + len(expected)
        assert encoder.encoders_[j].width == width
        assert_allclose(Z[:, begin], value[:, j], atol=1e-9)
        assert_allclose(
            Z[:, begin + 1 : begin + width].T, np.reshape(expected, (width - 1, len(x)))
        )
        begin += width
    assert begin == Z.shape[1]


def edges_by_hand(x, n_bins):
    """Values that fill a bin of what is left, and NumPy's quantiles of the others."""
    counts, edges = collections.Counter(x.tolist()), []
    if len(counts) <= n_bins + 1:
        return sorted(counts)
    while True:
        left = n_bins - len(edges)
        full = [v for v, count in counts.items() if left > 1 and count * left > counts.total()]
        if not full:
            break
        edges += full
        counts = collections.Counter({v: c for v, c in counts.items() if v not in full})
    quantiles = np.quantile(list(counts.elements()), np.linspace(0, 1, max(left, 1) + 1))
    return sorted({*edges, *quantiles.tolist()})


def test_size_of_codes(numbers):
    """Beside the value, which stays."""
    small, large = (double(code_scale=s).fit_transform(numbers[:, :1]) for s in (0.2, 2))
    assert_allclose(10 * small[:, 1:], large[:, 1:])
    assert_array_equal(small[:, 0], large[:, 0])


def test_zeros_keep_their_tail():
    """Quantiles of all rows would have one bin for it."""
    x = np.append(np.zeros(900), np.linspace(1, 100, 100))
    encoder = double(n_bins=5).fit(x[:, None])
    assert_allclose(encoder.encoders_[0].scaling.edges, [0, 1, 25.75, 50.5, 75.25, 100])


def test_codes_fit_into_memory(monkeypatch):
    """Fewer bins where the codes of all columns would be too large."""
    monkeypatch.setattr("skreg.preprocessing.table.MOST_BYTES", 3 * 4 * 50 * 10)
    x = np.random.RandomState(0).normal(size=(50, 11))
    X = pd.DataFrame(x).add_prefix("x").assign(c="c")
    assert TableEncoder().fit_transform(X).shape[1] == 11 * (1 + 2) + 1
    assert TableEncoder(n_bins=4).fit_transform(X).shape[1] == 11 * (1 + 4) + 1
    assert TableEncoder().fit_transform(np.tile(x, 5)).shape[1] == 55 * (1 + 1)


def test_number_of_bins():
    """A bin for 250 rows, between 8 and 32."""
    rows = [1, 2000, 2250, 4000, 8000, 10**6]
    assert [auto_bins(n) for n in rows] == [8, 8, 9, 16, 32, 32]
    x = np.random.RandomState(0).normal(size=(4000, 1))
    assert TableEncoder().fit_transform(x).shape == (4000, 17)


@pytest.mark.parametrize("mode", MODES)
def test_missing_numbers(numbers, mode):
    """They count nowhere, are 0, and are marked where the fit had any."""
    X = numbers.copy()
    hidden = np.random.RandomState(4).uniform(size=len(X)) < 0.3
    X[hidden, 0] = np.nan
    encoder = double(numeric=mode).fit(X)
    full = double(numeric=mode).fit(X[~hidden][:, :1])
    width = full.encoders_[0].width
    Z = encoder.transform(X)
    assert_array_equal(Z[~hidden, :width], full.transform(X[~hidden][:, :1]))
    assert (Z[hidden, :width] == 0).all()
    assert_array_equal(Z[:, width], hidden)
    other = np.where(np.arange(5) == 3, np.nan, X[0])[None]  # missing where none was in the fit
    assert np.isfinite(encoder.transform(other)).all()
    plain = double(numeric=mode, missing_indicator=False).fit_transform(X)
    assert_array_equal(plain, np.delete(Z, width, axis=1))


@pytest.mark.parametrize("mode", MODES)
def test_nothing_known(mode):
    """A column of missing values alone says nothing, whatever comes later."""
    encoder = TableEncoder(numeric=mode).fit([[np.nan], [np.nan]])
    assert_array_equal(encoder.transform([[np.nan], [5.0]]), [[0, 1], [0, 0]])


def test_infinite_numbers():
    X = pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, np.inf]})
    with pytest.raises(ValueError, match=r"Column 'b' holds infinity"):
        TableEncoder().fit(X)
    encoder = TableEncoder().fit(X.replace(np.inf, 1))
    with pytest.raises(ValueError, match=r"Column 'b' holds infinity"):
        encoder.transform(X)


# ------------------------------------------------------------------------------- weights


@pytest.mark.parametrize("mode", MODES)
def test_weights_are_repetitions(frame, numbers, mode):
    """A weight of 2 is a row that comes twice, 0 one that does not exist."""
    weight = np.random.RandomState(5).randint(0, 4, len(frame))
    rows = np.repeat(np.arange(len(frame)), weight)
    X = frame.assign(heavy=numbers[:300, 0], counts=numbers[:300, 1])
    weighted = double(numeric=mode, min_frequency=5).fit(X, sample_weight=weight)
    repeated = double(numeric=mode, min_frequency=5).fit(X.iloc[rows])
    assert_array_equal(weighted.get_feature_names_out(), repeated.get_feature_names_out())
    assert_allclose(weighted.transform(X), repeated.transform(X), atol=1e-9)


def test_weighted_quantiles():
    """NumPy's of the repeated numbers; and for fractions the mean of the step function."""
    rng = np.random.RandomState(6)
    x, weight = rng.normal(size=60), rng.randint(1, 5, 60).astype(float)
    shares = np.linspace(0, 1, 23)
    expected = np.quantile(np.repeat(x, weight.astype(int)), shares)
    assert_allclose(Sample(x, weight).quantiles(shares), expected, atol=1e-12)
    assert_allclose(Sample(x).quantiles(shares), np.quantile(x, shares), atol=1e-12)
    for weight in (rng.uniform(1, 3, 60), np.append(np.full(59, 0.3), 40.0)):
        order, fine = np.argsort(x), 20000
        steps = np.repeat(x[order], np.rint(weight[order] * fine).astype(int))
        n = weight.sum()
        means = [steps[int(h * fine) :][:fine].mean() for h in shares * (n - 1)]
        assert_allclose(Sample(x, weight).quantiles(shares), means, atol=1e-3)


def test_weights_that_sum_to_one(frame):
    """They are those that count rows, in frequencies and quantiles too."""
    weight = np.full(len(frame), 1 / len(frame))
    plain, weighted = double().fit(frame), double().fit(frame, sample_weight=weight)
    assert_allclose(weighted.transform(frame), plain.transform(frame), atol=1e-9)


def test_weighted_moments(numbers):
    numbers = numbers[:, :4]  # of one value theirs is the root of a rounding error
    weight = np.random.RandomState(7).uniform(0, 2, len(numbers))
    theirs = StandardScaler().fit(numbers, sample_weight=weight)
    ours = double(numeric="standard").fit(numbers, sample_weight=weight)
    assert_allclose(ours.transform(numbers), theirs.transform(numbers), atol=1e-12)


@pytest.mark.parametrize("weight", [[1, -1], [0, 0], [1], [1, np.nan]])
def test_wrong_weights(weight):
    with pytest.raises(ValueError, match=r"[Ss]ample.weight"):
        TableEncoder().fit([[1], [2]], sample_weight=weight)


def test_weights_are_routed(frame):
    """A pipeline hands them to the step that asked."""
    y, weight = np.arange(len(frame)) % 2, np.arange(len(frame)) % 3
    with sklearn.config_context(enable_metadata_routing=True):
        encoder = double().set_fit_request(sample_weight=True)
        mlp = MLPClassifier((3,), solver="lbfgs", max_iter=50, tol=1.0)
        pipe = make_pipeline(encoder, mlp.set_fit_request(sample_weight=False))
        pipe.fit(frame, y, sample_weight=weight)
    expected = double().fit(frame, sample_weight=weight).transform(frame)
    assert_array_equal(pipe[0].transform(frame), expected)


# ---------------------------------------------------------------------------- categories


def test_one_hot_is_get_dummies(frame):
    X = frame[["town", "grade", "member"]].assign(grade=frame["grade"].astype(str))
    X["member"] = X["member"].astype(str)
    expected = pd.get_dummies(X, dtype=np.float32)
    missing = frame["town"].isna().to_numpy()
    encoder = TableEncoder(min_frequency=None).set_output(transform="pandas")
    found = encoder.fit_transform(X)
    assert_array_equal(found.pop("town_missing"), missing)
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize(
    "limits",
    [(3, None), (40, 3), (None, 2), (0.1, 100), (None, 1), (1, 3), (1000, None)],
)
def test_rare_ones_are_pooled_as_by_one_hot_encoder(limits):
    """Unknown ones too; names are theirs."""
    rng = np.random.RandomState(8)
    X = rng.choice(np.array(list("abcdefgh"), dtype=object), (400, 2), p=[0.3, 0.25, 0.2, 0.13,
                   0.1, 0.01, 0.005, 0.005])  # fmt: skip
    names = dict(zip(("min_frequency", "max_categories"), limits, strict=True))
    theirs = OneHotEncoder(
        **names, handle_unknown="infrequent_if_exist", sparse_output=False, dtype=np.float32
    ).fit(X)
    ours = TableEncoder(**names).fit(X)
    new = np.concatenate([X[:50], [["a", "unknown"], ["new", "b"]]])
    assert_array_equal(ours.transform(new), theirs.transform(new))
    assert_array_equal(ours.get_feature_names_out(), theirs.get_feature_names_out())
    assert_array_equal(ours.categories_, theirs.categories_)


def test_unknown_and_missing():
    """Unknown is rare where something was, and else nothing; missing is itself or nothing."""
    X = pd.DataFrame(
        {"a": ["u", "v"] * 4, "b": ["u"] * 4 + ["v"] * 3 + ["w"], "c": ["u", None] * 4}
    )
    encoder = TableEncoder().set_output(transform="pandas").fit(X)
    new = pd.DataFrame({"a": ["new", None, "u"], "b": ["new", None, "w"], "c": ["new", None, "u"]})
    assert encoder.transform(new).astype(int).to_dict("list") == {
        "a_u": [0, 0, 1], "a_v": [0, 0, 0],
        "b_u": [0, 0, 0], "b_v": [0, 0, 0], "b_infrequent_sklearn": [1, 0, 1],
        "c_u": [0, 0, 1], "c_missing": [0, 1, 0],
    }  # fmt: skip
    plain = TableEncoder(missing_indicator=False).fit(X)
    assert "c_missing" not in plain.get_feature_names_out()


def test_categorical_features(frame):
    """Names, indices and a mask say the same; numbers may be categories."""
    X = frame.assign(age=frame["age"] // 20)
    names = ["age", "town", "grade", "member"]
    mask = np.isin(X.columns, names)
    expected = TableEncoder(categorical_features=names).fit(X)
    assert "age_2" in expected.get_feature_names_out()
    for given in (mask, np.flatnonzero(mask), [0, -3, -2, -1], np.array(names, dtype=object)):
        encoder = TableEncoder(categorical_features=given).fit(X)
        assert_array_equal(encoder.transform(X), expected.transform(X))
        assert_array_equal(encoder.is_categorical_, mask)
    for given in (["aeg"], [7], [True], [0.5]):
        with pytest.raises(ValueError, match=r"categorical_features=.* fits none of"):
            TableEncoder(categorical_features=given).fit(X)
    flag = TableEncoder(categorical_features=None, numeric="standard").fit_transform(X[["member"]])
    assert flag.shape[1] == 1
    for given in (None, ["grade"]):
        with pytest.raises(ValueError, match=r"Column 'town' is not numeric"):
            TableEncoder(categorical_features=given).fit(X)


def test_free_text_warns():
    texts = pd.DataFrame({"id": [f"row {i}" for i in range(150)], "n": np.arange(150)})
    with pytest.warns(UserWarning, match=r"Column 'id' has 150 categories.*skrub"):
        Z = TableEncoder(numeric="standard").fit_transform(texts)
    assert Z.shape == (150, 2)
    TableEncoder().fit(pd.DataFrame({"code": [f"row {i % 150}" for i in range(600)]}))
