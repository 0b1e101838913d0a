"""Word vectors from bare texts, for `zoo train tag --word-vectors FILE`: counts of neighbors and a singular value
decomposition, minutes on two cores.

    python scripts/word_vectors.py imdb_reviews --output imdb.vec --sentences imdb.txt

Each word is described by the words at each of four positions around it (two before, two after, each position by
itself, which shows a word's part of speech better than a bag of neighbors), as positive pointwise mutual information
with smoothed contexts, reduced to `--dimensions` by a truncated singular value decomposition whose values enter by
their square root.

References: Levy, Goldberg and Dagan, "Improving Distributional Similarity with Lessons Learned from Word Embeddings"
(2015), sections 2.2, 3.2 and 3.3. The file is in the text format of word2vec: a line with the number of words and of
dimensions, then a word and its numbers on each line.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import scipy.sparse
from sklearn.utils.extmath import randomized_svd

OFFSETS = (-2, -1, 1, 2)
"""Positions of the neighbors that describe a word."""

CLITIC = re.compile(r"(?<=\w)(n['\u2019]t|['\u2019](?:s|re|ve|ll|d|m))\b", re.IGNORECASE)
WORD = re.compile(r"n['\u2019]t\b|['\u2019](?:s|re|ve|ll|d|m)\b|\.{2,}|\d+(?:[.,:]\d+)*|\w+|[^\w\s]", re.IGNORECASE)
"""Words as in UD English EWT: `do n't`, `it 's`, hyphens by themselves."""

ENDS = (".", "!", "?")
CLOSING = (*ENDS, '"', "'", ")")
"""Words that end a sentence, and those after them that belong to it."""

SIZE = 0.3
"""Root mean square of the numbers of all vectors, about that of GloVe."""

SMOOTHING = 0.75
"""Exponent of the counts of contexts."""

AT_ONCE = 2_000_000
"""Words whose neighbors are counted together: bounds the memory."""


def words(text: str) -> list[str]:
    """The words of a text, punctuation and clitics by themselves."""
    return WORD.findall(CLITIC.sub(r" \1", text.replace("<br />", " ")))


def sentences(words: list[str]) -> Iterator[list[str]]:
    """A text cut after its full stops, question and exclamation marks, and what closes a quotation behind them."""
    start = 0
    for end, word in enumerate(words, 1):
        if end == len(words) or (word in ENDS and words[end] not in CLOSING):
            yield words[start:end]
            start = end


def texts(dataset: str) -> Iterator[str]:
    """All texts that a training may read: train and unlabeled of a data set of TFDS, or the lines of a file."""
    if Path(dataset).is_file():
        yield from Path(dataset).read_text(encoding="utf-8").splitlines()
        return
    import tensorflow_datasets as tfds

    builder = tfds.builder(dataset)
    for split in ("train", "unsupervised"):
        if split in builder.info.splits:
            for example in builder.as_dataset(split=split).as_numpy_iterator():
                yield example["text"].decode("utf-8", "replace")


def vectors(
    documents: Iterable[list[str]], num_words: int, num_contexts: int, dimensions: int, min_count: int
) -> tuple[list[str], np.ndarray]:
    """Words, the most frequent first, and their vectors `(words, dimensions)`."""
    documents = list(documents)
    counts = Counter(word for document in documents for word in document)
    vocabulary = [word for word, count in counts.most_common(num_words) if count >= min_count]
    index = {word: i for i, word in enumerate(vocabulary)}
    gap = [-1] * max(OFFSETS)  # no neighbor beyond the end of a document
    stream = np.fromiter((i for d in documents for i in [*(index.get(w, -1) for w in d), *gap]), "int32")
    matrix = scipy.sparse.csr_matrix((len(vocabulary), len(OFFSETS) * num_contexts), dtype="float32")
    for first in range(0, len(stream), AT_ONCE):
        for place, offset in enumerate(OFFSETS):
            own = np.arange(first, min(first + AT_ONCE, len(stream)))
            own = own[(own + offset >= 0) & (own + offset < len(stream))]
            word, context = stream[own], stream[own + offset]
            kept = (word >= 0) & (context >= 0) & (context < num_contexts)
            pairs = (np.ones(int(kept.sum()), "float32"), (word[kept], context[kept] + place * num_contexts))
            matrix = matrix + scipy.sparse.coo_matrix(pairs, shape=matrix.shape).tocsr()
    left, values, _ = randomized_svd(informative(matrix), dimensions, n_iter=4, random_state=1)
    found = left * np.sqrt(values)
    return vocabulary, SIZE * found / np.sqrt((found**2).mean())


def informative(counts: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    """Positive pointwise mutual information of counts `(words, contexts)`."""
    pairs = counts.tocoo()
    of_word = np.asarray(counts.sum(axis=1)).ravel()
    of_context = np.asarray(counts.sum(axis=0)).ravel() ** SMOOTHING
    of_context /= of_context.sum()
    information = np.log(pairs.data / (of_word[pairs.row] * of_context[pairs.col]))
    kept = information > 0
    return scipy.sparse.csr_matrix(
        (information[kept].astype("float32"), (pairs.row[kept], pairs.col[kept])), shape=counts.shape
    )


def main() -> None:
    """Reads texts, writes vectors."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("dataset", help="a data set of TFDS with the feature text, or a file of texts, one per line")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--sentences", type=Path, help="also write the sentences, one per line, blanks between words")
    parser.add_argument("--words", type=int, default=50_000)
    parser.add_argument("--contexts", type=int, default=10_000)
    parser.add_argument("--dimensions", type=int, default=128)
    parser.add_argument("--min-count", type=int, default=5)
    options = parser.parse_args()
    if options.sentences:
        with options.sentences.open("w", encoding="utf-8") as file:
            for text in texts(options.dataset):
                file.writelines(" ".join(some) + "\n" for some in sentences(words(text)))
    found, table = vectors(
        map(words, texts(options.dataset)), options.words, options.contexts, options.dimensions, options.min_count
    )
    with options.output.open("w", encoding="utf-8") as file:
        file.write(f"{len(found)} {options.dimensions}\n")
        for word, row in zip(found, table, strict=True):
            file.write(f"{word} {' '.join(f'{number:.4f}' for number in row)}\n")
    print(f"{options.output}: {len(found):,} words", file=sys.stderr)


if __name__ == "__main__":
    main()
