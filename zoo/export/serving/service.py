"""A service around `zoo.runtime`: texts in, answers out, without Keras and TensorFlow in the server.

    python -m zoo.export.serving.service sentiment-gru-imdb --port 8000
    curl localhost:8000/predict --json '{"inputs": ["a fine film"]}'

It listens on the loopback address; a proxy in front of it may do more. The page `/docs` describes it.
"""

from pathlib import Path
from typing import Any

import click
import fastapi
import uvicorn
from pydantic import BaseModel, Field, StrictBool, StrictFloat, StrictInt

from zoo import runtime
from zoo.errors import UserError

MOST_INPUTS, LONGEST = 64, 10_000
"""Inputs of a request, and characters of each."""


class Request(BaseModel):
    """What is asked: texts, and options of the task's command that are numbers: texts may name files to write."""

    inputs: list[str] = Field(min_length=1, max_length=MOST_INPUTS)
    options: dict[str, StrictBool | StrictInt | StrictFloat] = {}


def application(model: str | Path) -> fastapi.FastAPI:
    """The service of a model.

    Args:
        model: Name or folder of a saved model with an ONNX export, or the exported folder. Its inputs are texts.

    Raises:
        UserError: If it cannot be loaded, or takes files: a server does not open files that a request names.
    """
    loaded = runtime.load(model)
    if (inputs := loaded.installed.recipe.inputs) not in ("texts", "prompts"):
        raise UserError(f"This service reads texts; models for {loaded.installed.name} read {inputs}.")
    app = fastapi.FastAPI(title=loaded.path.name)

    @app.get("/")
    def about() -> dict[str, Any]:
        return {"model": loaded.path.name, "task": loaded.installed.name}

    @app.post("/predict")
    def predict(request: Request) -> dict[str, Any]:
        if any(len(text) > LONGEST for text in request.inputs):
            raise fastapi.HTTPException(422, f"A text has at most {LONGEST:,} characters.")
        try:
            return {"outputs": loaded.predict(request.inputs, **request.options)}
        except UserError as error:
            raise fastapi.HTTPException(422, str(error)) from error

    return app


@click.command()
@click.argument("model")
@click.option("--port", default=8000, show_default=True)
def main(model: str, port: int) -> None:
    """Serve MODEL on the loopback address."""
    try:
        app = application(model)
    except UserError as error:
        raise click.ClickException(str(error)) from error
    uvicorn.run(app, host="127.0.0.1", port=port)


if __name__ == "__main__":
    main()
