"""Answers one block after another, in a process of its own: `python -m zoo.bulk.worker`.

Standard input has lines of JSON: the job first, then blocks; each block gets one line of JSON on standard output when
its answers are kept. Standard input ends with the process that started this one, and so does this one.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from zoo.bulk.blocks import write_block
from zoo.errors import UserError
from zoo.task import Installed, find
from zoo.terminal import answers, console

WARM_UP = 64
"""Lines that are answered before any other: which path a net takes may depend on what has run before."""


def main() -> int:
    """Entry point."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else is printed is no reply
    try:
        serve(replies)
    except UserError as error:
        _reply(replies, {"error": str(error)})
    return 0


def serve(replies: Any) -> None:
    """Loads the model, and answers blocks until there are no more."""
    job = json.loads(sys.stdin.readline())
    task = find(job["task"])
    model = answers.opened(Path(job["model"]), job["runtime"], job["backend"])
    answered(task, model, job["settings"], ["a"] * WARM_UP)
    for text in sys.stdin:
        block = json.loads(text)
        write_block(Path(block["file"]), answered(task, model, job["settings"], block["lines"]))
        _reply(replies, {})


def answered(task: Installed, model: Any, settings: dict[str, Any], lines: list[str]) -> list[str]:
    """The answer to each line, in order.

    Raises:
        RuntimeError: If there are more or fewer, which would shift all that follow.
    """
    config = task.recipe.predict(inputs=tuple(lines), **settings)
    found = [console.printable(str(line)) for line in task.predict(model, config)]
    if len(found) != len(lines):
        raise RuntimeError(f"{len(lines)} lines have got {len(found)} answers")
    return found


def _reply(replies: Any, value: dict[str, str]) -> None:
    replies.write(json.dumps(value) + "\n")
    replies.flush()


if __name__ == "__main__":
    sys.exit(main())
