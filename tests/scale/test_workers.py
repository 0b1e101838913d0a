"""The options of workers: what is refused before Keras is imported, and how processes are started and ended."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from zoo.cli import cli
from zoo.errors import UserError
from zoo.workers import launcher, processes, settings
from zoo.workers.settings import Plan, WorkerConfig, plan


def planned(backend="jax", batch_size=64, limit=None, **options):
    return plan(WorkerConfig(**options), backend, batch_size, limit)


def test_nobody_is_asked_for() -> None:
    assert planned("tensorflow") == Plan() == settings.SINGLE
    assert planned().alone
    assert not planned().launches


def test_workers_of_this_machine_are_launched() -> None:
    pytest.importorskip("jax")
    found = planned(workers="2")
    assert found == Plan(2)
    assert found.launches
    assert not found.alone


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"workers": "2", "backend": "tensorflow"}, "on JAX only, and the backend is tensorflow"),
        ({"workers": "3"}, "--batch-size 64 does not divide by 3 workers. Take 63 or 66"),
        ({"workers": "128"}, "--batch-size 64 does not divide by 128 workers. Take 128"),
        ({"workers": "4", "limit": 3}, "There are 4 workers and 3 training examples"),
        ({"workers": "0"}, "--workers is a whole number from 1 to 4,096, or 'auto'; got '0'"),
        ({"workers": "two"}, "got 'two'"),
        ({"workers": "2", "worker_id": 1}, "--worker-id needs --coordinator"),
        ({"workers": "2", "coordinator": "here:5000"}, "--coordinator needs --worker-id"),
        ({"workers": "2", "coordinator": "localhost:5000", "worker_id": 2}, "is not one of --workers 2"),
        ({"workers": "2", "coordinator": "localhost:80", "worker_id": 0}, "ports below 1024"),
        ({"workers": "2", "coordinator": "localhost", "worker_id": 0}, "is HOST:PORT"),
        ({"workers": "2", "coordinator": "localhost:70000", "worker_id": 0}, "is HOST:PORT"),
        ({"workers": "2", "coordinator": "no.such.host.invalid:5000", "worker_id": 1}, "is not known"),
        ({"workers": "auto"}, "needs a scheduler that JAX knows"),
        ({"workers": "auto", "worker_id": 0}, "leave them out"),
        ({"workers": "2", "devices": "2"}, "leave --devices out"),
        ({"devices": "none"}, "--devices is a whole number from 1 to 4,096, or 'all'; got 'none'"),
        ({"devices": "3"}, "--batch-size 64 does not divide by 3 devices"),
    ],
)
def test_what_does_not_fit_is_refused(options, told, monkeypatch) -> None:
    pytest.importorskip("jax")
    for name in (*settings.SCHEDULERS, settings.LAUNCHED):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError) as error:
        planned(**options)
    assert told in str(error.value)


def test_auto_under_a_scheduler_leaves_all_to_jax(monkeypatch) -> None:
    pytest.importorskip("jax")
    monkeypatch.setenv("SLURM_PROCID", "0")
    assert planned(workers="auto") == Plan(None)


def test_a_port_that_is_taken_and_a_coordinator_that_is_not_there(monkeypatch) -> None:
    pytest.importorskip("jax")
    monkeypatch.setattr(settings, "REACH_SECONDS", 0.2)
    with socket.socket() as other:
        other.bind(("", 0))
        port = other.getsockname()[1]
        with pytest.raises(UserError, match=r"was not reached within 0 seconds .*--worker-id 0"):
            planned(workers="2", coordinator=f"127.0.0.1:{port}", worker_id=1)  # bound, but nobody listens
        other.listen()
        assert planned(workers="2", coordinator=f"127.0.0.1:{port}", worker_id=1).worker_id == 1
        with pytest.raises(UserError, match=f"Port {port} of this machine is taken"):
            planned(workers="2", coordinator=f"127.0.0.1:{port}", worker_id=0)


def test_the_command_ends_with_2_and_imports_no_keras() -> None:
    code = (
        "import sys; sys.argv = ['zoo', 'train', 'sentiment', '--workers', '2', '--backend', 'tensorflow']\n"
        "from zoo.__main__ import main\n"
        "try: main()\n"
        "finally: assert 'keras' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: Several workers train on JAX only")


def test_help_has_a_group_for_workers() -> None:
    text = CliRunner().invoke(cli, ["train", "sentiment", "--help"]).output
    group = text.partition("Workers options:")[2]
    assert all(f"--{name}" in group for name in ("workers", "coordinator", "worker-id", "devices"))


def fake(monkeypatch, tmp_path: Path, *codes: str) -> None:
    """Workers that run these lines of Python instead of a training."""
    for number, code in enumerate(codes):
        (tmp_path / f"{number}.py").write_text(f"import os, signal, sys, time\n{code}\n")

    class Popen(subprocess.Popen):
        def __init__(self, command, **options):
            super().__init__([sys.executable, str(tmp_path / f"{command[-1]}.py")], **options)

    monkeypatch.setattr(launcher.subprocess, "Popen", Popen)
    monkeypatch.setattr(launcher, "GRACE", 1.0)


WAIT = "time.sleep(60)"


@pytest.mark.parametrize(
    ("codes", "status", "told"),
    [
        (["", ""], 0, ""),
        ([WAIT, "print('Error: Bad data.', file=sys.stderr); sys.exit(2)"], 2, "Error: Worker 1: Bad data."),
        ([WAIT, "os.kill(os.getpid(), signal.SIGKILL)"], 1, "Worker 1 of 2 was ended by the signal SIGKILL"),
        # Worker 0 breaks off because of worker 1, which shows a moment later.
        (["sys.exit(75)", "time.sleep(0.5); os.kill(os.getpid(), 9)"], 1, "Worker 1 of 2 was ended by"),
        ([WAIT, "raise KeyError('bug')"], 1, "KeyError: 'bug'"),
        (["sys.exit(2)", WAIT], 2, ""),  # worker 0 has said why
    ],
)
def test_one_that_fails_ends_all(codes, status, told, monkeypatch, tmp_path, capfd) -> None:
    fake(monkeypatch, tmp_path, *codes)
    began = time.monotonic()
    assert launcher.launch(["train"], 2) == status
    assert time.monotonic() - began < 30
    assert told in capfd.readouterr().err


def test_a_process_that_does_not_listen_is_killed() -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    processes.end([process], patience=0.2)
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system pins no processes")
def test_each_worker_has_cores_of_its_own(monkeypatch) -> None:
    pinned = {}
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {4, 5, 6, 7})
    monkeypatch.setattr(os, "sched_setaffinity", lambda pid, cores: pinned.update({pid: list(cores)}))
    for number in range(2):
        processes.pin(type("Process", (), {"pid": number})(), number, 2)  # type: ignore[arg-type]
    assert pinned == {0: [4, 5], 1: [6, 7]}


def test_after_an_interruption_worker_0_says_what_is_kept(monkeypatch, tmp_path, capfd) -> None:
    began = tmp_path / "began"
    # Tests that a shell has started in the background hand an ignored SIGINT down.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    said = "except KeyboardInterrupt: print('Kept: all.', file=sys.stderr)"
    fake(monkeypatch, tmp_path, f"{heard}\ntry: open({str(began)!r}, 'w').close(); time.sleep(60)\n{said}", WAIT)

    def interrupted(_workers):
        while not began.exists():
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr(launcher, "_watch", interrupted)
    assert launcher.launch(["train"], 2) == 130
    assert "Kept: all." in capfd.readouterr().err
