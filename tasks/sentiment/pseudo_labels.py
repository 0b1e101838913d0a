"""Pseudo-labels for texts without labels, by n-grams, weighted by naive Bayes, in a linear classifier.

Reference: Wang and Manning, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification" (2012), section
2.3 (NBSVM). It sees no order beyond three words and the recurrent net sees little else but order, so each errs where
the other does not: learning from the other's answers is co-training (Blum and Mitchell 1998). It learns from
the training labels alone and is discarded when the net is trained.
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.svm import LinearSVC

ORDERS = (1, 2, 3)
"""Lengths of the n-grams."""

MIN_COUNT = 3
"""Training texts an n-gram must occur in: rarer ones only cost memory."""


def grams(ids: Sequence[int], vocabulary: int) -> np.ndarray:
    """The n-grams of a text, each as one number, without repetition.

    Args:
        ids: Token ids.
        vocabulary: Number of ids: the base in which an n-gram is written.
    """
    tokens = np.asarray(ids, "int64") + 1  # so that an n-gram never looks like a shorter one
    base = vocabulary + 1
    rows = [
        sum(tokens[i : len(tokens) - order + 1 + i] * base**i for i in range(order))
        for order in ORDERS
        if len(tokens) >= order
    ]
    return np.unique(np.concatenate(rows)) if rows else np.zeros(0, "int64")


class NGramClassifier:
    """A calibrated NBSVM for two labels.

    Args:
        texts: Token ids of each training text.
        labels: 0 or 1 for each.
        vocabulary: Number of token ids, at most two million, so that three fit into 64 bits.
        seed: Of the linear classifier's order of examples.
    """

    def __init__(self, texts: Sequence[Sequence[int]], labels: np.ndarray, vocabulary: int, seed: int) -> None:
        self.vocabulary = vocabulary
        rows = [grams(ids, vocabulary) for ids in texts]
        keys, counts = np.unique(np.concatenate(rows), return_counts=True)
        self.keys = keys[counts >= MIN_COUNT]
        binary = self._matrix(rows)
        p, q = (1 + np.asarray(binary[labels == side].sum(axis=0)).ravel() for side in (1, 0))
        self.ratio = np.log((p / p.sum()) / (q / q.sum()))
        # Probabilities come from held-out thirds: on its own training texts the classifier is too sure.
        inner = LinearSVC(C=1.0, random_state=seed)
        self.model = CalibratedClassifierCV(inner, method="sigmoid", cv=3, ensemble=False)
        self.model.fit(self._weighted(binary), labels)

    def probabilities(self, texts: Sequence[Sequence[int]]) -> np.ndarray:
        """`(len(texts), 2)`."""
        rows = [grams(ids, self.vocabulary) for ids in texts]
        return self.model.predict_proba(self._weighted(self._matrix(rows)))

    def _matrix(self, rows: Sequence[np.ndarray]) -> scipy.sparse.csr_matrix:
        """Which n-grams each text has, `(texts, n-grams)`."""
        places = [np.searchsorted(self.keys, row).clip(max=len(self.keys) - 1) for row in rows]
        places = [place[self.keys[place] == row] for place, row in zip(places, rows, strict=True)]
        starts = np.cumsum([0, *map(len, places)])
        columns = np.concatenate(places)
        return scipy.sparse.csr_matrix(
            (np.ones(len(columns), "float32"), columns, starts), shape=(len(rows), len(self.keys))
        )

    def _weighted(self, binary: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
        """Each n-gram by its log-count ratio, each text to length one."""
        weighted = binary.multiply(self.ratio[None, :]).tocsr()
        lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        return scipy.sparse.diags(1 / np.maximum(lengths, 1e-6)) @ weighted
