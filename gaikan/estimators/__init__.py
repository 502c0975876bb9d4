"""gaikan's models as scikit-learn classifiers."""
