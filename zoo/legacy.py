"""Names of zoo 0.1 and what they are called now: options, stored recipes, scores and facts of saved models."""

from collections.abc import Iterable, Mapping
from typing import Any

SETTINGS = {
    "averaging": "ema_momentum",
    "beam": "beam_size",
    "budget": "max_minutes",
    "chunk": "sequence_length",
    "colour": "color",
    "conditional": "conditional_cell",
    "copy_unknown": "replace_unk",
    "coverage": "coverage_penalty",
    "decoder_depth": "decoder_layers",
    "depth": "num_layers",
    "embedding": "embedding_dim",
    "encoder_depth": "encoder_layers",
    "encoder_licence": "encoder_license",
    "group": "captions_per_image",
    "head": "head_fraction",
    "heatmap": "attention_plot",
    "labels": "tags",
    "joint": "shared_vocabulary",
    "least": "min_count",
    "length": "max_new_tokens",
    "longest": "max_length",
    "nbest": "num_return",
    "out": "plot",
    "penalty": "length_penalty",
    "places": "position_embeddings",
    "prefix": "forced_prefix",
    "pretrain_rate": "pretrain_learning_rate",
    "reward_rate": "reward_learning_rate",
    "samples": "num_samples",
    "smoothing": "label_smoothing",
    "storage": "weights_dtype",
    "summary": "pooling",
    "teacher": "pseudo_labels",
    "tokens": "tokenizer",
    "vocabulary": "vocabulary_size",
}
"""Fields of configurations, which are options on the command line, and keys of the asset `search`."""

SCORES = {
    "bits": "bits_per_character",
    "bleu1": "bleu_1",
    "bleu2": "bleu_2",
    "bleu3": "bleu_3",
    "bleu4": "bleu_4",
    "bleu_tokenized": "bleu_lc_tok",
    "bleu_tokenized_greedy": "bleu_lc_tok_greedy",
    "calibration_error": "ece",
    "exact": "exact_match",
    "length": "mean_length",
    "nats": "loss",
    "nats_a_word": "loss_per_token",
    "nll": "log_loss",
    "true": "fact_accuracy",
    "unknown": "oov_rate",
    "vocabulary": "unique_words",
}
"""Names of scores."""

FACTS = {"embedded": "builtin", "licence": "license", "examples_a_second": "examples_per_second"}
"""Keys of `metrics.json` besides scores."""

ASSETS = {"beside": "distance_offset", "units": "tokens"}
"""Names of assets."""


def settings(stored: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """Stored fields under their present names; `known` are the present fields, of which none is renamed."""
    known = set(known)
    return {name if name in known else SETTINGS.get(name, name): value for name, value in stored.items()}


def search(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The asset `search` under present names."""
    return {SETTINGS.get(name, name): value for name, value in stored.items()}


def metrics(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a `metrics.json` under present names.

    Raises:
        KeyError: If a part is missing.
        AttributeError: If a part is no JSON object.
    """
    scores = {split: _renamed(found, SCORES) for split, found in stored["scores"].items()}
    training = _renamed(stored["training"], FACTS)
    if "chosen_by" in training:
        training["chosen_by"] = SCORES.get(training["chosen_by"], training["chosen_by"])
    data = _renamed(stored["data"], FACTS)
    if "scoring" in data:
        data["scoring"] = _renamed(data["scoring"], SCORES)
    # Of the data sets that came with 0.1, these are real ones.
    data.setdefault("synthetic", bool(data.get("builtin")) and data["name"] not in ("digits", "python_docs"))
    monitor = SCORES.get(stored["monitor"], stored["monitor"])
    return {**stored, "monitor": monitor, "scores": scores, "training": training, "data": data}


def score_name(column: str) -> str:
    """The present name of a column of `history.csv`."""
    name = column.removeprefix("validation_")
    return column[: len(column) - len(name)] + SCORES.get(name, name) if name != column else column


def _renamed(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in values.items()}
