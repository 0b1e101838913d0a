"""What `zoo caption` prints: file names in, a caption of each out, in the same order."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data import images, text
from zoo.decoding.options import of_prediction
from zoo.errors import UserError
from zoo.storage.saved_model import SavedModel
from zoo.task import error_line, json_line, named_line, shortened

from .attention_sheet import draw
from .recipe import Predict

BATCH = 16
"""Images that are captioned together."""


def predict(saved: SavedModel, config: Predict) -> Iterator[str]:
    """A line for each image: its caption, or several with tabs between them, or JSON with scores.

    An image that cannot be read gets a line that says why, and the others their captions.

    Raises:
        UserError: If attention is asked for that there is not.
    """
    _check_attention(saved, config)
    number = 0
    for names in text.in_batches((name.strip() for name in config.inputs), BATCH if _all_given(config) else 1):
        pictures = [_read(name) for name in names]
        readable = [picture for picture in pictures if isinstance(picture, np.ndarray)]
        answers = iter(best_captions(saved, config, readable) if readable else [])
        for name, picture in zip(names, pictures, strict=True):
            number += 1
            if isinstance(picture, UserError):
                yield error_line(config, shortened(name), picture, image=name)
                continue
            captions = next(answers)
            if config.attention_plot:
                path = Path(config.attention_plot)
                path = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
                draw(path, picture, captions[0]["words"], captions[0]["attention"])
            yield _line(config, name, captions)


def _check_attention(saved: SavedModel, config: Predict) -> None:
    if config.attention and saved.recipe.attention == "none":
        raise UserError(
            f"{saved.path.name} was trained with --attention none: it has no attention to print. Leave --attention "
            "out, or choose a model with attention: `zoo list models`."
        )


def _all_given(config: Predict) -> bool:
    """Whether all names are there at once, as arguments; from a stream each is answered as soon as it comes."""
    return isinstance(config.inputs, Sequence)


def _read(name: str) -> np.ndarray | UserError:
    try:
        return images.read(name)
    except UserError as error:
        return error


def best_captions(saved: SavedModel, config: Predict, pictures: Sequence[np.ndarray]) -> list[list[dict[str, Any]]]:
    """The captions of each picture, best first.

    Args:
        saved: The model.
        config: Options of the search.
        pictures: uint8 arrays `(height, width, 3)` of any sizes.

    Returns:
        For each picture the hypotheses, each with `caption`, `score`, `words` and `attention`.
    """
    search, size = of_prediction(saved.assets["search"], config), saved.recipe.image_size
    scaled = [images.resized(picture, size, size) for picture in pictures]
    rows = BATCH if _all_given(config) and len(scaled) > 1 else len(scaled)
    batch = np.stack([*scaled, *[scaled[0]] * (rows - len(scaled))])  # one shape, compiled once
    attention = (config.attention or config.attention_plot is not None) and saved.recipe.attention != "none"
    result = saved.net.search(batch, **search, attention=attention)
    return [_captions(saved, {name: value[row] for name, value in result.items()}) for row in range(len(pictures))]


def _captions(saved: SavedModel, result: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    tokenizer = saved.assets["tokenizer"]
    captions = []
    for tokens, score, length, attention in zip(
        result["tokens"], result["scores"], result["lengths"], result["attention"], strict=True
    ):
        if np.isfinite(score):
            (caption,) = tokenizer.decode([tokens[:length]])
            words = [tokenizer.token(token) for token in tokens[:length]]
            captions.append(
                {"caption": caption, "score": float(score), "words": words, "attention": attention[:length]}
            )
    return captions


def _line(config: Predict, name: str, captions: Sequence[Mapping[str, Any]]) -> str:
    if not config.json:
        return named_line(config, name, "\t".join(item["caption"] for item in captions))
    best, *others = captions
    more: dict[str, Any] = {"image": name, "caption": best["caption"]}
    if config.num_return > 1:
        more["nbest"] = [{"caption": item["caption"], "score": round(item["score"], 6)} for item in captions]
    if config.attention:
        more["tokens"], weights = best["words"], best["attention"]
        more["attention"] = np.asarray(weights).round(4).tolist()  # (tokens, places), places row by row
    alternatives = [(item["caption"], item["score"]) for item in others]
    return json_line(shortened(name), best["caption"], best["score"], alternatives, **more)
