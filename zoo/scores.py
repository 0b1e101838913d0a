"""What each score means: its definition, unit and range, for cards, reports and the command line."""

from collections.abc import Mapping

DEFINITIONS: Mapping[str, str] = {
    "accuracy": "fraction of right answers, 0 to 1",
    "macro_f1": "mean over classes of F1, the harmonic mean of precision and recall, 0 to 1",
    "log_loss": "mean negative log-probability of the right class, in nats; lower is better",
    "ece": "expected calibration error: mean distance between confidence and accuracy over 15 bins, 0 to 1; "
    "lower is better",
    "span_f1": "F1 of spans with the right ends and the right label, as seqeval counts them, 0 to 1",
    "loss": "cross-entropy per token, in nats; lower is better",
    "bits_per_character": "cross-entropy per character, in bits; lower is better",
    "bits_per_token": "cross-entropy per token, in bits; lower is better",
    "perplexity": "exponential of the cross-entropy per token; lower is better",
    "oov_rate": "fraction of tokens that are not in the vocabulary, 0 to 1",
    "bleu": "corpus BLEU of detokenized text in mixed case, sacreBLEU's tokenization 13a, 0 to 100",
    "bleu_lc_tok": "corpus BLEU of lowercased text in Moses tokens, 0 to 100; not to be compared with bleu",
    "bleu_greedy": "bleu of greedy search, without a beam",
    "bleu_lc_tok_greedy": "bleu_lc_tok of greedy search, without a beam",
    "chrf": "chrF2: F-score of character n-grams, 0 to 100",
    "exact_match": "fraction of texts that equal their reference, 0 to 1",
    "bleu_1": "corpus BLEU of single words, all references, 0 to 100",
    "bleu_2": "corpus BLEU of 1- and 2-grams, all references, 0 to 100",
    "bleu_3": "corpus BLEU of 1- to 3-grams, all references, 0 to 100",
    "bleu_4": "corpus BLEU of 1- to 4-grams, all references, closest length, no smoothing, 0 to 100",
    "rouge_l": "F-score of the longest common subsequence of words, mean over captions, 0 to 100",
    "cider": "CIDEr-D: agreement with all references, rare n-grams counting more, times 100",
    "meteor": "METEOR 1.5: matches of words, stems and synonyms, 0 to 100",
    "fact_accuracy": "fraction of captions that are true of their picture, 0 to 1",
    "distinct1": "different words as a fraction of all words in the captions, 0 to 1",
    "distinct2": "different pairs of words as a fraction of all pairs in the captions, 0 to 1",
    "unique_words": "different words in the captions",
    "mean_length": "words per caption",
    "reward": "what learning from a reward maximizes: CIDEr-D and BLEU-1, weighted",
    "examples": "examples that were scored",
    "examples_per_second": "how fast they were scored, preprocessing included",
}
"""Name of a score -> what it is."""


def definition(name: str) -> str:
    """What a score is; empty for one that this package does not know."""
    if name.startswith("accuracy_at_"):
        return f"accuracy where the answer had to be remembered for {name.removeprefix('accuracy_at_')} steps"
    return DEFINITIONS.get(name, "")
