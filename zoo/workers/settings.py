"""The options of a training by several workers, and all that can be checked of them before Keras is imported."""

import contextlib
import importlib.util
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

from zoo.errors import UserError
from zoo.settings import check, setting

AUTO = "auto"
"""The word for as many workers as a scheduler has started."""

ALL = "all"
"""The word for all devices of this machine."""

MOST = 4096
"""Largest number of workers or devices."""

SCHEDULERS = {
    "SLURM_PROCID": "SLURM",
    "OMPI_COMM_WORLD_RANK": "Open MPI",
    "KUBERNETES_SERVICE_HOST": "Kubernetes",
}
"""Environment variable of a scheduler whose processes JAX finds -> its name."""

REACH_SECONDS = 120.0
"""How long a worker waits for worker 0, whose Keras may take a minute to start."""

LAUNCHED = "ZOO_LAUNCHED"
"""Environment variable of a worker whose standard input is a pipe that ends with the process that started it."""


@dataclass(frozen=True)
class WorkerConfig:
    """Who trains: options of `zoo train` that change nothing of what is computed, and are no part of a recipe.

    Raises:
        UserError: If an option has a value that it does not take.
    """

    workers: str = setting(
        "1", "Processes that train together (JAX): a number, or 'auto' for those that SLURM or Open MPI started."
    )
    coordinator: str | None = setting(
        None, "HOST:PORT where worker 0 is reached, if workers are on several machines.", group="Workers"
    )
    worker_id: int | None = setting(
        None, "Which worker this process is, from 0 on; with --coordinator.", minimum=0, maximum=MOST - 1,
        group="Workers",
    )  # fmt: skip
    devices: str = setting("1", "GPUs of this machine that share each batch: a number, or 'all'.", group="Workers")

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Plan:
    """Which workers there are, and which of them this process is.

    Attributes:
        count: Number of workers; None: JAX asks the scheduler.
        coordinator: Where worker 0 is reached; None: this process starts the workers, or JAX asks the scheduler.
        worker_id: Which worker this process is; None as above.
        devices: Devices of this process; None for all.
    """

    count: int | None = 1
    coordinator: str | None = None
    worker_id: int | None = None
    devices: int | None = 1

    @property
    def alone(self) -> bool:
        """Whether this process trains by itself."""
        return self.count == 1 and self.coordinator is None

    @property
    def launches(self) -> bool:
        """Whether this process starts the workers."""
        return self.count is not None and self.count > 1 and self.coordinator is None


SINGLE = Plan()
"""One process, one device."""


def plan(config: WorkerConfig, backend: str, batch_size: int, limit: int | None = None) -> Plan:
    """Checks options, and where worker 0 is to be reached.

    Args:
        config: The options.
        backend: The backend of Keras.
        batch_size: Rows of a batch of all workers together.
        limit: Largest number of examples, if the user gave one.

    Raises:
        UserError: If they do not go together, or the coordinator's port is taken or not reached.
    """
    count = None if config.workers == AUTO else _number("workers", config.workers, AUTO)
    found = Plan(
        count, config.coordinator, config.worker_id,
        None if config.devices == ALL else _number("devices", config.devices, ALL),
    )  # fmt: skip
    if found.alone and config.worker_id is None:
        if found.devices:
            check_batch(batch_size, found.devices, "devices")
        return found
    if backend != "jax":
        raise UserError(
            f"Several workers train on JAX only, and the backend is {backend}. Add --backend jax, or leave out "
            "--workers."
        )
    if importlib.util.find_spec("jax") is None:
        raise UserError("Several workers train on JAX, which is not installed: pip install 'zoo[jax]'.")
    if found.devices != 1:
        raise UserError("Each worker has the devices that JAX gives it: leave --devices out, or --workers.")
    if count is not None:
        check_batch(batch_size, count, "workers")
        check_examples(limit, count)
    _check_place(found, config.workers)
    return found


def check_batch(batch_size: int, parts: int, what: str = "workers") -> None:
    """Refuses a batch that does not divide into equal parts.

    Raises:
        UserError: Names the nearest batch sizes that do.
    """
    if batch_size % parts:
        below, above = batch_size // parts * parts, -(-batch_size // parts) * parts
        near = " or ".join(str(size) for size in (below, above) if size)
        raise UserError(f"--batch-size {batch_size} does not divide by {parts} {what}. Take {near}, or other {what}.")


def check_examples(examples: int | None, count: int) -> None:
    """Refuses more workers than examples.

    Raises:
        UserError: If there are.
    """
    if examples is not None and examples < count:
        raise UserError(f"There are {count} workers and {examples} training examples: take fewer --workers.")


def _number(name: str, text: str, word: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST:
        raise UserError(f"--{name} is a whole number from 1 to {MOST:,}, or {word!r}; got {text[:40]!r}.")
    return int(text)


def _check_place(found: Plan, workers: str) -> None:
    """Whether it is clear which worker this process is, and whether worker 0 can be reached."""
    if found.count is None:
        if found.coordinator is not None or found.worker_id is not None:
            raise UserError("--workers auto finds --coordinator and --worker-id by itself: leave them out.")
        _check_scheduler(os.environ)
    elif found.coordinator is None:
        if found.worker_id is not None:
            raise UserError("--worker-id needs --coordinator HOST:PORT, where worker 0 is reached.")
    elif found.worker_id is None:
        raise UserError(f"--coordinator needs --worker-id: 0 on {found.coordinator}, 1, 2, ... elsewhere.")
    elif found.worker_id >= found.count:
        raise UserError(f"--worker-id {found.worker_id} is not one of --workers {workers}: they count from 0.")
    else:
        _check_address(found.coordinator, found.worker_id)


def _check_scheduler(environment: Mapping[str, str]) -> None:
    if not any(name in environment for name in SCHEDULERS):
        raise UserError(
            f"--workers auto needs a scheduler that JAX knows ({', '.join(SCHEDULERS.values())}), and its environment "
            "variables are not set. Start it there (srun, mpirun), or give --workers, --coordinator and --worker-id."
        )


def _check_address(coordinator: str, worker_id: int) -> None:
    host, port = address(coordinator)
    if os.environ.get(LAUNCHED):
        return  # whoever started this worker has chosen a free port, and watches
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UserError(f"The coordinator {coordinator} is not known: {error.strerror}.") from error
    if worker_id == 0:
        _check_free(port)
    else:
        _reach(coordinator, found[0][4][:2], REACH_SECONDS)


def address(coordinator: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`.

    Raises:
        UserError: If it is none, or the port is below 1024.
    """
    host, colon, port = coordinator.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise UserError(f"--coordinator is HOST:PORT, such as 10.0.0.1:5000; got {coordinator[:60]!r}.")
    if int(port) < 1024:
        raise UserError(f"--coordinator {coordinator}: ports below 1024 belong to the system. Take one from 1024 on.")
    return host.strip("[]"), int(port)


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as trial:
        trial.bind(("", 0))
        return trial.getsockname()[1]


def _check_free(port: int) -> None:
    try:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(("", port))
    except OSError as error:
        raise UserError(f"Port {port} of this machine is taken ({error.strerror}). Choose another one.") from error


def _reach(coordinator: str, place: tuple, seconds: float) -> None:
    """Waits until worker 0 listens."""
    end = time.monotonic() + seconds
    while True:
        try:
            with contextlib.closing(socket.create_connection(place, timeout=5)):
                return
        except OSError as error:
            if time.monotonic() >= end:
                raise UserError(
                    f"The coordinator {coordinator} was not reached within {seconds:.0f} seconds "
                    f"({error.strerror or error}). Start worker 0 there with the same command and --worker-id 0, and "
                    "let the port through."
                ) from error
        time.sleep(0.5)
