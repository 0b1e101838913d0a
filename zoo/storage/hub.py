"""Saved models on the Hugging Face Hub: `hf://user/model`, fetched into the user's cache, and pushed.

What is fetched are the files that `files.json` of the model names, checked by their hashes when the model is loaded.
Nothing in them is ever run as code.
"""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zoo import cards
from zoo.data import cache
from zoo.errors import UserError
from zoo.storage import model_card, schema, stored
from zoo.task import installed

SCHEME = "hf://"

ADDRESS = re.compile(
    r"hf://(?P<user>[\w][\w.-]{0,95})/(?P<model>[\w][\w.-]{0,95})(?:@(?P<revision>[\w][\w./-]{0,199}))?"
)

FILE = re.compile(r"(?:[\w-]+/)?[\w-]+(?:\.[\w-]+)*")
"""Paths that a saved model may have: `model.keras`, `assets/labels.json`."""

COMMIT = re.compile("[0-9a-f]{40}")

MOST_BYTES = 2 << 30
"""Size of the largest model that is fetched."""

MOST_FILES = 1000

INSTALL = "pip install 'zoo[hub]'"

NEXT_STEP = "Choose another model, or push this one again."
"""What to do about an address that has no whole saved model."""


def fetch(address: str) -> Path:
    """The folder of a model in the user's cache; downloads what is not there yet.

    Args:
        address: `hf://user/model`, or `hf://user/model@revision` with a branch, a tag or a commit. A model that has
            been fetched is found without network by its whole commit.

    Raises:
        UserError: If there is no such model, it is no saved model of zoo, or the Hub cannot be reached.
    """
    user, model, revision = _parse(address)
    if revision and COMMIT.fullmatch(revision) and (folder := _folder(user, model, revision)).is_dir():
        return folder
    hub, repository = _hub(), f"{user}/{model}"
    with _explained(address, hub):
        api = hub.HfApi()
        info = api.model_info(repository, revision=revision, files_metadata=True)
    folder = _folder(user, model, info.sha)
    if folder.is_dir():
        return folder
    sizes = {item.rfilename: item.size or 0 for item in info.siblings}
    new = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    try:
        with _explained(address, hub):
            for name in _names(address, sizes, lambda name: _download(api, repository, name, info.sha, new)):
                _download(api, repository, name, info.sha, new)
        shutil.rmtree(new / ".cache", ignore_errors=True)  # what huggingface_hub notes of its downloads
        stored.verify(new)
        if not folder.is_dir():  # another process may have been as fast
            new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return folder


def push(path: Path, address: str, *, private: bool = False) -> str:
    """Uploads a saved model, with a card as the Hub reads it, as one commit.

    Args:
        path: Its folder, of which only the files are sent that belong to the model.
        address: `hf://user/model`, or `hf://user/model@branch`; it is made if it does not exist.
        private: Whether a repository that is made is private.

    Returns:
        The address of what was pushed, with its commit.

    Raises:
        UserError: If the model is damaged, or the Hub cannot be reached or does not allow it.
    """
    user, model, revision = _parse(address)
    names = [*stored.verify(path), cards.FILES, *(name for name in (cards.MEASURED,) if (path / name).is_file())]
    hub, repository = _hub(), f"{user}/{model}"
    add, delete = hub.CommitOperationAdd, hub.CommitOperationDelete
    operations = [add(name, str(path / name)) for name in names]
    operations.append(add(cards.CARD, card(path).encode()))
    with _explained(address, hub):
        api = hub.HfApi()
        api.create_repo(repository, exist_ok=True, private=private)
        there = {item.rfilename for item in api.model_info(repository, revision=revision).siblings}
        old = sorted(name for name in there - {*names, cards.CARD} if re.fullmatch(r"assets/\w+\.json", name))
        operations += [delete(name) for name in old]
        done = api.create_commit(
            repository, operations, commit_message=f"{path.name}, written by zoo", revision=revision
        )
    return f"{SCHEME}{repository}@{done.oid}"


def card(path: Path) -> str:
    """The card of a saved model with the block of YAML that the Hub reads: license, tags, scores."""
    summary = cards.summarize(path)
    head = "\n".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in _facts(summary).items())
    return f"---\n{head}\n---\n{model_card.render(summary)}"


def _facts(summary: cards.Summary) -> dict[str, Any]:
    """What the Hub knows of a model; JSON is YAML too."""
    terms = model_card.terms(summary)
    task = installed().get(summary.task)
    kind = task.recipe.pipeline_tag if task else ""
    facts: dict[str, Any] = {
        "library_name": "keras",
        "license": {"open": "apache-2.0", "research": "other", "unknown": "unknown"}[terms],
    }
    if terms == "research":
        facts["license_name"] = "research-only"
    if kind:
        facts["pipeline_tag"] = kind
    facts["tags"] = ["zoo", "recurrent", summary.cell.partition(":")[0], summary.task]
    scores = summary.metrics["scores"]["test"]
    metrics = [
        {"type": name, "value": value, "name": f"test {name}"}
        for name, value in scores.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]
    if metrics:
        result = {
            "task": {"type": kind or summary.task},
            "dataset": {"name": summary.dataset, "type": summary.dataset},
            "metrics": metrics,
        }
        facts["model-index"] = [{"name": summary.name, "results": [result]}]
    return facts


def _parse(address: str) -> tuple[str, str, str | None]:
    found = ADDRESS.fullmatch(address)
    if found is None or ".." in address:
        raise UserError(
            f"{address[:200]!r} is no address of a model on the Hub: write hf://user/model or hf://user/model@revision."
        )
    return found["user"], found["model"], found["revision"]


def _folder(user: str, model: str, commit: str) -> Path:
    """Where a fetched model lies: the last part is its name."""
    return cache.folder() / "hub" / user / commit / model


def _names(address: str, sizes: Mapping[str, int], download: Any) -> Iterator[str]:
    """The files to fetch, after `files.json`, which says which they are.

    Raises:
        UserError: If it is no saved model, or larger than one may be.
    """
    if cards.FILES not in sizes:
        raise UserError(f"{address} is not a saved model of zoo: it has no {cards.FILES}. {NEXT_STEP}")
    if sizes[cards.FILES] > schema.MOST_BYTES:
        raise UserError(f"{address}: its {cards.FILES} is larger than {schema.MOST_BYTES:,} bytes.")
    manifest = schema.read(download(cards.FILES), cards.FILES, schema.Manifest)
    named = list(manifest["files"])
    for name in named:
        if not FILE.fullmatch(name) or name not in sizes:
            raise UserError(f"{address} is not a whole saved model of zoo: {name[:100]!r} is not there. {NEXT_STEP}")
    total = sum(sizes[name] for name in named)
    if total > MOST_BYTES or len(named) > MOST_FILES:
        raise UserError(f"{address} has {total:,} bytes in {len(named):,} files, more than a model of zoo may have.")
    yield from named
    yield from (name for name in (cards.CARD, cards.MEASURED) if 0 < sizes.get(name, 0) <= schema.MOST_BYTES)


def _download(api: Any, repository: str, name: str, commit: str, folder: Path) -> Path:
    """Downloads one file of a commit; returns the folder."""
    api.hf_hub_download(repository, name, revision=commit, local_dir=folder)
    return folder


def _hub() -> Any:
    """`huggingface_hub`.

    Raises:
        UserError: If it is not installed.
    """
    try:
        import huggingface_hub
        import huggingface_hub.errors
    except ImportError as error:
        raise UserError(f"Models on the Hugging Face Hub need huggingface_hub: {INSTALL}") from error
    return huggingface_hub


@contextlib.contextmanager
def _explained(address: str, hub: Any) -> Iterator[None]:
    """Errors of the Hub and of the network as sentences."""
    errors = hub.errors
    try:
        yield
    except UserError:
        raise
    except errors.GatedRepoError as error:
        raise UserError(
            f"{address} asks for its terms to be accepted: do so on the Hub, then `hf auth login`."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise UserError(
            f"The Hub has no model {address}, or it is private: check the name, or log in with `hf auth login`."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise UserError(f"{address}: the Hub's model has no such branch, tag or commit.") from error
    except errors.LocalTokenNotFoundError as error:
        raise UserError("The Hub needs a token for this: log in with `hf auth login`, or set HF_TOKEN.") from error
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", None)
        if status in (401, 403):
            raise UserError(
                f"The Hub does not allow this for {address}: log in as somebody who may, with `hf auth login`."
            ) from error
        raise UserError(f"The Hub refused {address}: {str(error).strip().splitlines()[0][:200]}") from error
    except Exception as error:
        if not _of_network(error):
            raise
        raise UserError(
            f"The Hub cannot be reached for {address}: there is no network, or it is down. A model that was fetched "
            f"before is found without network by its commit, as {SCHEME}USER/MODEL@COMMIT, or by its folder in "
            f"{cache.folder() / 'hub'}."
        ) from error


HTTP = ("httpx", "httpcore", "requests", "urllib3")
"""What the modules of HTTP libraries that `huggingface_hub` has used begin with."""


def _of_network(error: Exception) -> bool:
    """Whether an error means that there was no connection."""
    if isinstance(error, (ConnectionError, TimeoutError)):
        return True
    kinds = type(error).__mro__
    names = ("LocalEntryNotFoundError", "OfflineModeIsEnabled")
    return any(kind.__module__.startswith(HTTP) or kind.__name__ in names for kind in kinds)
