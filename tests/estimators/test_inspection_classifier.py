"""The inspection classifier as scikit-learn sees it, and against the code of the grid."""

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.utils import estimator_checks

from gaikan import InspectionClassifier
from gaikan.errors import ConfigError

QUICK: dict[str, Any] = {"arch": "mlp", "epochs": 2, "shift": 0}


def parts(seed: int = 0, n: int = 90) -> tuple[NDArray[np.uint8], NDArray[np.str_]]:
    """Noise with a bright bar whose place is the class."""
    rng = np.random.default_rng(seed)
    place = rng.integers(0, 3, n)
    images = rng.integers(0, 120, (n, 12, 12), np.uint8)
    for image, row in zip(images, place, strict=True):
        image[3 * row : 3 * row + 2] += 100
    return images, np.array(["ok", "open", "spur"])[place]


@pytest.fixture(scope="module")
def fitted() -> InspectionClassifier:
    return InspectionClassifier(**QUICK).fit(*parts())


def test_an_inspection_learns_and_its_training_is_repeatable(fitted: InspectionClassifier) -> None:
    images, labels = parts(1)
    assert fitted.score(images, labels) > 0.9
    again = clone(fitted).fit(*parts())
    np.testing.assert_array_equal(again.transform(images), fitted.transform(images))
    other = clone(fitted).set_params(random_state=1).fit(*parts())
    assert (other.transform(images) != fitted.transform(images)).any()


def test_its_decision_is_the_anchor_classifiers_on_its_embeddings(
    fitted: InspectionClassifier,
) -> None:
    images, _ = parts(1)
    embeddings = fitted.transform(images)
    distances = np.linalg.norm(embeddings[:, None] - fitted.anchors_.anchors_, axis=2)
    np.testing.assert_allclose(fitted.decision_function(images), -distances, rtol=1e-4)
    np.testing.assert_array_equal(fitted.predict(images), fitted.classes_[distances.argmin(1)])


def test_images_come_with_or_without_channels_and_in_any_number_type(
    fitted: InspectionClassifier,
) -> None:
    images, _ = parts(1)
    expected = fitted.decision_function(images)
    same: list[Any] = [images[:, None], images.astype(np.int64), images[:, None].astype(np.float32)]
    same[0].setflags(write=False)  # as of a memory map
    for some in same:
        np.testing.assert_allclose(fitted.decision_function(some), expected, rtol=1e-5)


def test_probabilities_are_those_of_the_head_and_only_where_there_is_one(
    fitted: InspectionClassifier,
) -> None:
    images, labels = parts(1)
    assert not hasattr(fitted, "predict_proba")  # triplet
    unfitted = clone(fitted).set_params(style="vanilla", epochs=4)
    assert not hasattr(unfitted, "predict_proba")
    vanilla = unfitted.fit(*parts())
    probabilities = vanilla.predict_proba(images)
    assert vanilla.head_ is not None
    logits = vanilla.transform(images) @ vanilla.head_.weight.T + vanilla.head_.bias
    np.testing.assert_allclose(probabilities, softmax(logits, axis=1), atol=1e-6)
    assert (vanilla.classes_[probabilities.argmax(1)] == labels).mean() > 0.9


def test_it_is_pickled_cloned_and_searched(fitted: InspectionClassifier) -> None:
    images, labels = parts(1, 40)
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.predict(images), fitted.predict(images))
    with pytest.raises(NotFittedError):
        clone(fitted).predict(images)
    search = GridSearchCV(clone(fitted), {"style": ["vanilla", "siamese"]}, cv=2, refit=False)
    scores = search.fit(images, labels).cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_estimator_tags_renamed,
        estimator_checks.check_estimators_unfitted,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_mixin_order,
        estimator_checks.check_n_features_in_after_fitting,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_set_params,
        estimator_checks.check_valid_tag_types,
    ],
)
def test_an_inspection_passes_the_checks_that_need_no_table(check: Any) -> None:
    check("InspectionClassifier", InspectionClassifier())


def test_lots_are_never_on_both_sides() -> None:
    images, labels = parts()
    lots = np.arange(len(images)) % 3
    InspectionClassifier(**QUICK).fit(images, labels, groups=lots)
    with pytest.raises(Exception, match="all images are of one group"):
        InspectionClassifier(**QUICK).fit(images, labels, groups=np.zeros(len(images)))


def test_what_cannot_be_fitted_is_said() -> None:
    images, labels = parts()
    with pytest.raises(ValueError, match=r"images are \(N, C, H, W\)"):
        InspectionClassifier().fit(images.reshape(len(images), -1), labels)
    with pytest.raises(ConfigError, match="no arch 'vgg'; there are mlp, resnet, cnn"):
        InspectionClassifier("vgg").fit(images, labels)
    with pytest.raises(ConfigError, match=r"train\.epochs"):
        InspectionClassifier(epochs=0).fit(images, labels)


def test_importing_gaikan_imports_nothing_heavy() -> None:
    code = (
        "import sys, gaikan;"
        "print(sorted({'numpy', 'torch', 'sklearn', 'scipy'} & {*sys.modules}));"
        "gaikan.AnchorClassifier; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "False"]
