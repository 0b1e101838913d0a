"""Labelled clips of one's own: a folder of clips with `labels.csv`, which tells what is seen when.

clip,start,end,label         seconds; a clip is whatever `zoo tag` reads, within the folder
walk.gif,0,0.48,left         a frame has the label within whose times its middle lies
walk.gif,0.48,1.2,hidden     frames that no row tells of are neither learned nor scored
"""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.data import frames, tables
from zoo.errors import UserError

TABLE = "labels.csv"

HELD_OUT = 10
"""One in so many clips is for validation, and one for test."""


@dataclass(frozen=True)
class Look:
    """How clips are read: side of a frame in pixels, channels, and frames a second of a folder of pictures."""

    side: int
    channels: int
    fps: float


class Told(NamedTuple):
    """A row of the table: seconds from `start` to `end`, and where it stands, for messages."""

    start: float
    end: float
    label: str
    where: str


def told(path: Path) -> dict[str, list[Told]]:
    """The rows of a folder's table by clip, in the order of their times.

    Raises:
        UserError: With the line that cannot be used.
    """
    table = path / TABLE
    if not table.is_file():
        raise UserError(
            f"{path} has no {TABLE}. Give a folder of clips and {TABLE} with the columns clip,start,end,label."
        )
    found: dict[str, list[Told]] = {}
    for where, fields in tables.rows(table, ("clip", "start", "end", "label")):
        clip, start, end, label = (fields[name].strip() for name in ("clip", "start", "end", "label"))
        row = Told(_seconds(start, where), _seconds(end, where), label, where)
        if row.end <= row.start:
            raise UserError(f"{where}: {label!r} ends at {end}, not after it starts at {start}. Put the seconds right.")
        found.setdefault(clip, []).append(row)
    for clip, rows in found.items():
        rows.sort()
        for one, other in pairwise(rows):
            if other.start < one.end:
                raise UserError(
                    f"{other.where}: at {other.start:g} s {clip} is {other.label!r}, but up to {one.end:g} s it is "
                    f"{one.label!r}. A frame has one label: let times not overlap."
                )
    return found


def _seconds(text: str, where: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise UserError(f"{where}: {text!r} are no seconds. Give a number from 0 on, such as 0.48.")
    return seconds


def read(path: Path, rows: Mapping[str, Sequence[Told]], look: Look) -> Iterator[tuple[frames.Clip, list[str | None]]]:
    """Each clip with the label of each frame, None where nothing is told.

    Raises:
        UserError: If a clip is not there, cannot be read, or has no frame at the times that are told.
    """
    for name, spans in rows.items():
        if not (path / name).exists():
            raise UserError(f"{spans[0].where}: {path / name} is not there. Put it there or delete its rows.")
        clip = frames.read(path / name, look.side, look.side, look.channels, look.fps)
        labels: list[str | None] = [None] * len(clip.frames)
        for frame in range(len(labels)):
            middle = (frame + 0.5) * clip.seconds
            labels[frame] = next((span.label for span in spans if span.start <= middle < span.end), None)
        if not any(labels):
            raise UserError(
                f"{spans[0].where}: none of the {len(labels):,} frames of {name}, which takes "
                f"{len(labels) * clip.seconds:g} s, is at the times that are told."
            )
        yield clip, labels


def sides(clips: Sequence[np.ndarray], seed: int) -> list[str]:
    """The split of each clip: one in `HELD_OUT`, and at least one, for validation and for test.

    They are chosen by a hash of their frames, so equal clips stay together.

    Raises:
        UserError: If there are fewer than three different clips.
    """
    digests = [hashlib.sha256(f"{seed} {clip.shape}".encode() + clip.tobytes()).digest() for clip in clips]
    ranked = sorted(set(digests))
    if len(ranked) < 3:
        raise UserError(f"{TABLE} tells of {len(ranked)} different clips; three are the least, one for each split.")
    share = max(1, len(ranked) // HELD_OUT)
    split = dict.fromkeys(ranked, "train")
    split |= dict.fromkeys(ranked[:share], "validation") | dict.fromkeys(ranked[share : 2 * share], "test")
    return [split[digest] for digest in digests]
