"""The command `zoo` in a notebook: `%load_ext zoo.notebook`, then `%zoo list cells`, in the notebook's own process."""

import shlex
from typing import Any

import click

from zoo import cli
from zoo.errors import UserError


def zoo(line: str) -> None:
    """Runs a command as it is typed in a terminal, without the word `zoo`.

    Args:
        line: The words of the command, such as `train sentiment --dataset reviews.csv`.

    Raises:
        IPython.core.error.UsageError: With the sentence that the command would print; it ends "Run All".
    """
    from IPython.core.error import UsageError

    try:
        code = cli.cli(shlex.split(line), prog_name="zoo", standalone_mode=False)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        raise UsageError(error.format_message()) from None
    except UserError as error:
        raise UsageError(str(error)) from None
    if isinstance(code, int) and code:
        raise UsageError(f"`zoo {line}` ended with code {code}.")


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext zoo.notebook` calls.

    Args:
        shell: The notebook's `InteractiveShell`.
    """
    shell.register_magic_function(zoo, magic_kind="line", magic_name="zoo")
