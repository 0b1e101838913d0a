"""A user's labeled clips: a folder of clips with `labels.csv`, which says what they show when.

clip,start,end,label         seconds; a clip is anything that `zoo tag` reads, within the folder
walk.gif,0,0.48,left         a frame has the label of the row whose times contain the middle of the frame
walk.gif,0.48,1.2,hidden     frames outside of all rows are neither learned nor scored
"""

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from zoo.data import frames, own, tables
from zoo.errors import UserError

TABLE = frames.LABELS

COLUMNS = tuple(tables.Column(name, (name,)) for name in ("clip", "start", "end", "label"))


@dataclass(frozen=True)
class ClipFormat:
    """How clips are read. The defaults are the format of the built-in clips.

    Attributes:
        side: Height and width of a frame in pixels.
        channels: 3 for color, 1 for gray.
        fps: Frames per second of a clip that is a folder of images.
    """

    side: int = 24
    channels: int = 1
    fps: float = 12.5


class Row(NamedTuple):
    """A row of the table: a label from `start` to `end` in seconds, and the place of the row, for errors."""

    start: float
    end: float
    label: str
    where: str


def read(path: Path, clip_format: ClipFormat) -> Iterator[tuple[frames.Clip, list[str | None]]]:
    """Each clip of a folder with the label of each frame, None where it has none.

    Raises:
        UserError: If the table or a clip cannot be used, a row begins after the end of its clip, no frame of a clip has
            a label, or most rows label no frame.
    """
    table = _table(path)
    idle: list[str] = []
    for name, rows in table.items():
        where = rows[0].where
        if not (path / name).exists():
            raise UserError(f"{where}: {path / name} does not exist. Put it there or delete its rows.")
        clip = frames.read(path / name, clip_format.side, clip_format.side, clip_format.channels, clip_format.fps)
        middles = [(frame + 0.5) * clip.seconds for frame in range(len(clip.frames))]
        length = len(middles) * clip.seconds
        late = next((row for row in rows if row.start > length + 1e-6), None)
        if late is not None:
            raise UserError(
                f"{late.where}: {late.label!r} begins at {late.start:g} s, but {name} ends at {length:g} s "
                f"({len(middles):,} frames). Give times in seconds, not in frames or milliseconds."
            )
        labels = [next((row.label for row in rows if row.start <= middle < row.end), None) for middle in middles]
        if not any(labels):
            raise UserError(
                f"{where}: none of the {len(labels):,} frames of {name}, which lasts {length:g} s, lies within the "
                "times of its rows. Correct the seconds of its rows."
            )
        idle += [row.where for row in rows if not any(row.start <= middle < row.end for middle in middles)]
        yield clip, labels
    if idle:
        more = f", and {len(idle) - 1:,} more rows are like it" if idle[1:] else ""
        message = f"{idle[0]}: no frame has its middle within the times of this row{more}"
        if 2 * len(idle) > sum(map(len, table.values())):
            raise UserError(f"{message}. Correct the times; they are in seconds.")
        print(f"Warning: {message}. Their labels are not used.", file=sys.stderr, flush=True)


def _table(path: Path) -> dict[str, list[Row]]:
    """The rows of a folder's table by clip, in the order of their times."""
    table = path / TABLE
    if not table.is_file():
        raise UserError(
            f"{path} has no {TABLE}. Give a folder of clips and {TABLE} with the columns clip,start,end,label."
        )
    by_clip: dict[str, list[Row]] = {}
    for where, fields in tables.rows(table, COLUMNS):
        clip, start, end, label = (fields[name].strip() for name in ("clip", "start", "end", "label"))
        row = Row(_seconds(start, where), _seconds(end, where), label, where)
        if row.end <= row.start:
            raise UserError(f"{where}: {label!r} ends at {end}, not after its start at {start}. Correct the seconds.")
        by_clip.setdefault(own.inside(path, clip, where), []).append(row)
    for clip, rows in by_clip.items():
        rows.sort()
        for one, other in pairwise(rows):
            if other.start < one.end:
                raise UserError(
                    f"{other.where}: at {other.start:g} s {clip} is {other.label!r}, but up to {one.end:g} s it is "
                    f"{one.label!r}. A frame has one label: the times of rows must not overlap."
                )
    return by_clip


def _seconds(text: str, where: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise UserError(f"{where}: {text!r} is no time in seconds. Give a number from 0 on, such as 0.48.")
    return seconds
