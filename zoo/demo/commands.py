"""The command `zoo demo`."""

import importlib.util
from pathlib import Path

import click

from zoo import options
from zoo.errors import UserError
from zoo.names import split
from zoo.terminal import environment

HELP = """Open a web page on this computer on which all tasks answer.

The page is served by this program until Ctrl-C; it can be reached from this computer only, and nothing is sent
anywhere. It needs gradio: pip install "zoo[demo]".

\b
zoo demo
zoo demo --port 8000 --models sentiment-gru-imdb,translate-gru-multi30k-en-de
"""


def command(shared: list[click.Option]) -> click.Command:
    """The command.

    Args:
        shared: The options `--models-dir` and `--backend`, the same as in all commands.
    """

    def run(host: str, port: int | None, models: str | None, models_dir: Path | None, backend: str | None) -> None:
        if importlib.util.find_spec("gradio") is None:
            raise UserError('The page needs gradio, which is not installed: pip install "zoo[demo]"')
        names = None if models is None else split(models)
        if names == []:
            raise UserError("--models names no model. `zoo list models` shows them.")
        click.echo("Starting the page; this takes some seconds ...", err=True)
        environment.start_keras(backend)
        from zoo.demo import server
        from zoo.demo.model_cache import ModelCache

        cache = ModelCache(models_dir, names)
        with server.bind(host, port) as listening:
            server.serve(listening, cache, lambda: server.announce(listening, port))

    return options.Command(
        "demo",
        callback=run,
        params=[
            click.Option(
                ["--host"],
                type=options.Text(),
                default="127.0.0.1",
                show_default=True,
                help="Address to serve on; 0.0.0.0 lets other computers in.",
            ),
            click.Option(
                ["--port"],
                type=options.Integer(0, 65535),
                help="Port to serve on.  [default: the first free from 7860]",
            ),
            click.Option(
                ["--models"], type=options.Text(), help="Models to offer, separated by commas.  [default: all]"
            ),
            *shared,
        ],
        help=HELP,
        short_help="Open a web page on which all tasks answer.",
    )
