"""How training scales over processes: one and two of one core each, slow links, what a step costs, what reading costs.

    python scripts/scale.py                      # writes scripts/scale.json; half an hour on two quiet cores
    python scripts/scale.py --only steps,reduce  # some sections; the others keep their numbers

`scripts/render.py` makes `scripts/scale.md` of it, with the model of `scripts/scale_model.py`. Sections:

    steps    seconds of a training step of one process on one core, by rows of its batch
    reading  seconds in which a process makes all batches of an epoch
    workers  examples per second of whole trainings by one and by two processes, each pinned to one core
    reduce   seconds of an all-reduce between two processes, by bytes
    links    as `workers`, over links that are slowed down (Linux: user namespaces, and `tc` of iproute2)
    bulk     seconds and memory of `zoo translate --input` by one worker, by two, and by two that are killed
    ray      seconds of eight trainings on a local Ray, in one slot and in two
"""

import argparse
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "scripts" / "scale.json"

TASKS = {
    "sentiment": {"batch_size": 256, "limit": 9_600, "epochs": 2},
    "translate": {"batch_size": 256, "limit": 9_600, "epochs": 2, "max_length": 24},
}
"""Task -> settings; the net is the task's default. Workers pay where a step is long: with 64 rows the fixed part of a
step of translate, which every worker has, is a third of it."""

SIZES = (1 << 16, 1 << 20, 1 << 22, 1 << 24)
"""Bytes of an all-reduce."""

LINKS = (("1gbit", "0.2ms"), ("100mbit", "1ms"), ("100mbit", "10ms"))
"""Rate of a slow link, and its delay one way, in the words of `tc`."""

KILLS_SEED = 1
"""Seed of the moments at which workers are killed."""

STEPS = 60
"""Steps that are timed."""

REDUCE = """
import json, sys, time
import jax, numpy as np
jax.config.update("jax_cpu_collectives_implementation", "gloo")
jax.distributed.initialize(sys.argv[1], 2, int(sys.argv[2]))
mesh = jax.sharding.Mesh(np.array(jax.devices()), ("batch",))
split, whole = (jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*axes)) for axes in (("batch",), ()))
found = []
for size in json.loads(sys.argv[3]):
    mine = np.ones((1, size // 4), "float32")
    array = jax.make_array_from_process_local_data(split, mine)
    add = jax.jit(lambda x: x.sum(axis=0), out_shardings=whole)
    add(array).block_until_ready()
    times = []
    for _ in range(30):
        begin = time.perf_counter()
        add(array).block_until_ready()
        times.append(time.perf_counter() - begin)
    found.append({"bytes": size, "seconds": sorted(times)[len(times) // 2]})
if jax.process_index() == 0:
    print(json.dumps(found))
"""


def environment(**more: str) -> dict[str, str]:
    """One thread for each process: what a worker of one core has."""
    from zoo.workers.processes import THREADS

    threads = dict.fromkeys(THREADS, "1")
    return {
        **os.environ,
        **threads,
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **more,
    }


def started(command: Sequence[str], cores: int, **options: Any) -> subprocess.Popen:
    """A process that may use so many cores."""
    process = subprocess.Popen(command, env=environment(), **options)
    os.sched_setaffinity(process.pid, sorted(os.sched_getaffinity(0))[:cores])
    return process


def run(command: Sequence[str], cores: int, **options: Any) -> str:
    """What a command prints that may use so many cores."""
    process = started(command, cores, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    out, err = process.communicate()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {err.strip()[-2000:]}")
    return out


def options(settings: dict[str, Any]) -> list[str]:
    return [word for name, value in settings.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def steps(_: argparse.Namespace) -> dict[str, Any]:
    """Each task's seconds of a step with the whole batch and with parts of it, in a process of its own."""
    found: dict[str, Any] = {}
    for task, settings in TASKS.items():
        rows = [settings["batch_size"] // parts for parts in (1, 2, 4)]
        found[task] = json.loads(run([sys.executable, __file__, "--step", task, *map(str, rows)], 1))
    return found


def time_steps(task: str, sizes: Sequence[int]) -> dict[str, Any]:
    """What `steps` runs in its process: medians and deviations of steps on the longest batches, of full size."""
    from zoo.task import find

    installed, found = find(task), {}
    for rows in sizes:
        recipe = installed.recipe.train(**{**TASKS[task], "batch_size": rows})
        data = installed.task.load(recipe)
        (stage,) = installed.task.stages(recipe, data)
        model = stage.build(recipe, data)
        shaped: dict[tuple, list] = {}
        for batch in data.train(0).as_numpy_iterator():
            shapes = tuple(getattr(part, "shape", ()) for part in _flat(batch))
            shaped.setdefault(shapes, []).append(batch)
        batches = shaped[max(shapes for shapes in shaped if shapes[0][0] == rows)]
        times = []
        for number in range(STEPS + 5):
            inputs, targets, weights = batches[number % len(batches)]
            begin = time.perf_counter()
            model.train_on_batch(inputs, targets, sample_weight=weights)
            times.append(time.perf_counter() - begin)
        times = times[5:]
        found[str(rows)] = {"seconds": statistics.median(times), "deviation": statistics.stdev(times)}
    return {"parameters": model.count_params(), "rows": found}


def _flat(value: Any) -> list:
    return [item for part in value for item in _flat(part)] if isinstance(value, tuple) else [value]


def reading(_: argparse.Namespace) -> dict[str, Any]:
    """Seconds in which one process makes the batches of an epoch once its examples are encoded."""
    return {task: json.loads(run([sys.executable, __file__, "--read", task], 1)) for task in TASKS}


def time_reading(task: str) -> dict[str, Any]:
    """What `reading` runs in its process."""
    from zoo.task import find

    installed = find(task)
    data = installed.task.load(installed.recipe.train(**TASKS[task]))
    times = []
    for epoch in range(3):
        begin = time.perf_counter()
        count = sum(1 for _ in data.train(epoch))
        times.append(time.perf_counter() - begin)
    return {"batches": count, "seconds": min(times)}


def training(task: str, count: int, prefix: Sequence[str] = ()) -> float:
    """Examples per second of the last epoch of a training by so many workers of one core each."""
    with tempfile.TemporaryDirectory() as folder:
        words = [
            "train",
            task,
            *options(TASKS[task]),
            "--name",
            "it",
            "--no-plot",
            "--no-score-test",
            "--patience",
            "0",
        ]
        run([*prefix, sys.executable, "-m", "zoo", *words, "--workers", str(count)], count, cwd=folder)
        metrics = json.loads(Path(folder, "saved_models", "it", "metrics.json").read_text())
    return metrics["training"]["examples_per_second"]


def workers(_: argparse.Namespace) -> dict[str, Any]:
    """Whole trainings by one and two workers, in turn and twice, the better counts."""
    found: dict[str, Any] = {}
    for task in TASKS:
        rates = {count: max(training(task, count) for _ in range(2)) for count in (1, 2)}
        found[task] = {"one": rates[1], "two": rates[2], "ratio": rates[2] / rates[1]}
    return found


def reduce(_: argparse.Namespace) -> list[dict[str, float]]:
    """All-reduces between two processes over loopback."""
    from zoo.workers.settings import free_port

    place, sizes = f"127.0.0.1:{free_port()}", json.dumps(SIZES)
    command = [sys.executable, "-c", REDUCE, place]
    other = subprocess.Popen([*command, "1", sizes], env=environment(), stderr=subprocess.DEVNULL)
    text = run([*command, "0", sizes], 2)
    other.wait()
    return json.loads(text.strip().splitlines()[-1])


def links(_: argparse.Namespace) -> dict[str, Any]:
    """Two workers over a loopback of their own that is slowed down: by netem, or without a delay by tbf."""
    if missing := [name for name in ("unshare", "ip", "tc") if shutil.which(name) is None]:
        return {"missing": ", ".join(missing)}
    found: dict[str, Any] = {}
    for rate, delay in LINKS:
        for name, rule in {
            f"{rate}, {delay}": f"netem delay {delay} rate {rate}",
            rate: f"tbf rate {rate} burst 64kb latency 400ms",
        }.items():
            script = f'ip link set lo mtu 1500 up && tc qdisc add dev lo root {rule} && exec "$@"'
            prefix = ["unshare", "-rn", "sh", "-c", script, "sh"]
            probe = subprocess.run([*prefix, "true"], capture_output=True, text=True)
            if not probe.returncode:
                if name not in found:
                    found[name] = {task: training(task, 2, prefix) for task in TASKS}
                break
        else:
            return {"missing": probe.stderr.strip()[-200:]}
    return found


def bulk(given: argparse.Namespace) -> dict[str, Any]:
    """`zoo translate` of many lines by one and by two workers, and by two that are killed three times."""
    found: dict[str, Any] = {"lines": given.lines}
    with tempfile.TemporaryDirectory() as folder:
        sentences = ["A man in a blue shirt is standing on a ladder.", "Two dogs play.", "A girl reads a book outside."]
        for name, count in (("few", given.lines // 10), ("in", given.lines)):
            Path(folder, f"{name}.txt").write_text("".join(f"{sentences[i % 3]}\n" for i in range(count)))
        found["few"] = {"lines": given.lines // 10, **translated(folder, "few", "few", 2)}
        found["1"] = translated(folder, "in", "1", 1)
        found["2"] = translated(folder, "in", "2", 2)
        found["killed"] = killed(folder, found["2"]["seconds"])
        outputs = [Path(folder, name, "in.txt").read_bytes() for name in ("1", "2", "killed")]
    if any(output != outputs[0] for output in outputs):
        raise SystemExit("One worker, two, and two that were killed have other answers.")
    return found


def bulk_command(folder: str, source: str, output: str, count: int) -> subprocess.Popen:
    """Starts `zoo translate` of a file on one core for each worker, in a process group of its own."""
    model = ROOT / "saved_models" / "translate-gru-multi30k-en-de"
    words = ["translate", "--model", str(model), "--input", f"{source}.txt", "--output", output]
    words += ["--workers", str(count)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    words += ["--backend", "tensorflow"]  # nothing is summed over workers: JAX would only compile longer
    return started([sys.executable, "-m", "zoo", *words], count, cwd=folder, start_new_session=True, **quiet)


def translated(folder: str, source: str, output: str, count: int) -> dict[str, float]:
    """Seconds of a whole file, and the peak memory of its largest process in bytes."""
    begin = time.perf_counter()
    _, status, usage = os.wait4(bulk_command(folder, source, output, count).pid, 0)
    if status:
        raise SystemExit(f"zoo translate --workers {count} failed.")
    return {"seconds": time.perf_counter() - begin, "memory": usage.ru_maxrss * 1024}


def killed(folder: str, seconds: float) -> dict[str, Any]:
    """Two workers that are killed three times with all that they started, and resumed."""
    moments = [random.Random(KILLS_SEED + i).uniform(0.15, 0.4) * seconds for i in range(3)]
    for moment in moments:
        process = bulk_command(folder, "in", "killed", 2)
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGKILL)
        if process.wait() == 0:
            raise SystemExit("The translation ended before it was killed: give more lines.")
    return {"after": moments, **translated(folder, "in", "killed", 2)}


def ray(_: argparse.Namespace) -> dict[str, Any]:
    """Eight trainings on a local Ray, in one slot of one core and in two."""
    found = {}
    for count in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            begin = time.perf_counter()
            words = ["compare", "classify", "--cells", "gru,lstm", "--seeds", "1,2,3,4", "--epochs", "20"]
            words += ["--ray", "local", "--processes", str(count)]
            run([sys.executable, "-m", "zoo", *words], count, cwd=folder)
            found[str(count)] = time.perf_counter() - begin
    return found


def main() -> None:
    sections = {f.__name__: f for f in (steps, reading, workers, reduce, links, bulk, ray)}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(sections), help="Sections, separated by commas.")
    parser.add_argument("--lines", type=int, default=100_000, help="Lines of the section bulk.")
    parser.add_argument("--json", type=Path, default=FILE, help="File for the numbers.")
    parser.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--read", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        print(json.dumps(time_steps(given.step[0], list(map(int, given.step[1:])))))
        return
    if given.read:
        print(json.dumps(time_reading(given.read)))
        return
    found = json.loads(given.json.read_text()) if given.json.exists() else {}
    for name in given.only.split(","):
        print(f"{time.strftime('%H:%M')} {name}", file=sys.stderr)
        found[name] = sections[name](given)
        given.json.write_text(json.dumps({**found, "cores": os.cpu_count(), "tasks": TASKS}, indent=1) + "\n")


if __name__ == "__main__":
    main()
