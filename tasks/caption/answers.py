"""What `zoo caption` prints: file names in, a caption of each out, in the same order."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo import builders
from zoo.data import images, text
from zoo.errors import UserError
from zoo.saved import SavedModel
from zoo.task import Failed

from .attention_sheet import draw
from .recipe import Predict

AT_ONCE = 16
"""Pictures that are described together."""


def predict(saved: SavedModel, ask: Predict) -> Iterator[str]:
    """A line for each picture: its caption, or several with tabs between them, or JSON with scores.

    One that cannot be read gets a line that says why, and the others their answers.
    """
    number = 0
    for names in text.in_batches((name.strip() for name in ask.inputs), AT_ONCE if _several(ask) else 1):
        read = [_read(name) for name in names]
        seen = [picture for picture in read if isinstance(picture, np.ndarray)]
        answers = iter(_described(saved, ask, seen) if seen else [])
        for name, picture in zip(names, read, strict=True):
            number += 1
            if isinstance(picture, UserError):
                yield _failed(ask, name, picture)
                continue
            found = next(answers)
            if ask.attention:
                path = Path(ask.attention)
                path = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
                draw(path, picture, found[0]["words"], found[0]["attention"])
            yield _line(ask, name, found)


def _several(ask: Predict) -> bool:
    """Whether pictures come as arguments, all at once; from a stream each is answered as soon as it comes."""
    return isinstance(ask.inputs, Sequence)


def _read(name: str) -> np.ndarray | UserError:
    try:
        return images.read(name)
    except UserError as error:
        return error


def _described(saved: SavedModel, ask: Predict, pictures: Sequence[np.ndarray]) -> list[list[dict[str, Any]]]:
    """The captions of each picture, best first."""
    own, size = saved.assets["search"], saved.recipe.image_size
    asked = {name: getattr(ask, name) for name in ("beam", "penalty")}
    options = {name: own[name] if value is None else value for name, value in asked.items()}
    scaled = [images.resized(picture, size, size) for picture in pictures]
    rows = AT_ONCE if _several(ask) and len(scaled) > 1 else len(scaled)
    batch = np.stack([*scaled, *[scaled[0]] * (rows - len(scaled))])  # one shape, compiled once
    looked = ask.attention is not None and saved.recipe.attention != "none"
    found = builders.search(saved.model, batch, **options, nbest=ask.nbest, length=own["length"], attention=looked)
    return [_captions(saved, {name: value[place] for name, value in found.items()}) for place in range(len(pictures))]


def _captions(saved: SavedModel, found: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    tokenizer = saved.assets["tokenizer"]
    result = []
    for tokens, score, length, attention in zip(
        found["tokens"], found["scores"], found["lengths"], found["attention"], strict=True
    ):
        if np.isfinite(score):
            (caption,) = tokenizer.decode([tokens[:length]])
            words = [tokenizer.token(token) for token in tokens[:length]]
            result.append({"caption": caption, "score": float(score), "words": words, "attention": attention[:length]})
    return result


def _line(ask: Predict, name: str, found: Sequence[Mapping[str, Any]]) -> str:
    if not ask.json:
        return "\t".join(item["caption"] for item in found)
    pairs = [{"caption": item["caption"], "score": round(item["score"], 6)} for item in found]
    return json.dumps({"image": name, **pairs[0], **({"nbest": pairs} if ask.nbest > 1 else {})}, ensure_ascii=False)


def _failed(ask: Predict, name: str, error: UserError) -> Failed:
    if ask.json:
        return Failed(json.dumps({"image": name, "error": str(error)}, ensure_ascii=False))
    return Failed(f"Error: {error}")
