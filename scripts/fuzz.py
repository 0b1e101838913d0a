"""Feeds damaged files to everything that reads files: each has to be read, or refused by one `UserError`.

    python scripts/fuzz.py --minutes 5                         # all readers
    python scripts/fuzz.py --minutes 5 --seed 2 --only tokenizer,csv
    python scripts/fuzz.py --replay fuzz-findings/json-1a2b3c  # one input again, with its traceback

An input is a sample of a format, or a file of a published model, with a few bytes or JSON values changed. If atheris is
installed (`pip install atheris`), the changes are led by the coverage of our code instead. A child process with limits
reads the inputs. Findings are other exceptions, crashes, more than 30 seconds, more than 2 GB of memory; each is
printed once, and its input is kept in `fuzz-findings/`. Exit code 1 if there are any.
"""

import argparse
import hashlib
import io
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from fuzz_readers import Reader, readers, samples

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SECONDS, BYTES = 30, 2 << 30
"""Limits for one input."""

FINDINGS = Path("fuzz-findings")

TOKENS = [
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\n", b"\r", b"\r\n", b"\t", b",", b";", b'"', b"''", b"\\", b"{", b"}", b"[",
    b"]", b"null", b"NaN", b"-Infinity", b"1e999", b"9" * 400, b"9" * 5000, b"\\ud83d", b"\\u0000", b"../", b"#", b"_",
    b"-1", b"/etc/passwd", b"[" * 5000, b"text", b"label", b"\xe2\x80\xa8", b"\xc2\x85", b"0", b"4294967296",
    b"1" + b"0" * 19,
]  # fmt: skip

# How inputs are changed


def mutated(rng: random.Random, good: list[bytes]) -> bytes:
    """One of some inputs with one to four changes."""
    content = rng.choice(good)
    for _ in range(rng.randint(1, 4)):
        content = _as_json(rng, content) if rng.random() < 0.5 else _as_bytes(rng, content, good)
    return content


def _as_bytes(rng: random.Random, content: bytes, good: list[bytes]) -> bytes:
    at = rng.randint(0, len(content))
    end = min(len(content), at + rng.choice([0, 0, 1, 4, 40]))
    new = rng.choice([
        lambda: rng.choice(TOKENS),
        lambda: rng.randbytes(rng.randint(1, 8)),
        lambda: bytes([content[at] ^ (1 << rng.randint(0, 7))]) if at < len(content) else b"",
        lambda: content[at : at + 100] * rng.randint(1, 50),
        lambda: rng.choice(good)[at : at + 200],
        lambda: b"",
    ])()  # fmt: skip
    return content[:at] if rng.random() < 0.05 else content[:at] + new + content[end:]


def _as_json(rng: random.Random, content: bytes) -> bytes:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return _as_bytes(rng, content, [content])
    spots = list(_spots(value))
    if not spots:
        return content
    inside, key = rng.choice(spots)
    odd = [
        None,
        True,
        -1,
        0,
        1.5,
        2**31,
        2**63,
        10**30,
        float("nan"),
        "",
        "x" * 10_000,
        "\ud800",
        "\0\n",
        [],
        {},
        [[]],
        "../x",
    ]
    if rng.random() < 0.2:
        del inside[key]
    else:
        inside[key] = rng.choice([*odd, rng.choice(spots)[0]])
    try:
        return json.dumps(value).encode()
    except ValueError:  # it contains itself now
        return content


def _spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Places within a JSON value; of large collections a few."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        keys = list(item) if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else ()
        for key in keys if len(keys) < 40 else [*keys[:20], *keys[-5:]]:
            yield item, key
            waiting.append(item[key])


# The child process


def read_one(read: Reader, content: bytes) -> BaseException | None:
    """What a reader raises that is no `UserError`."""
    from zoo.errors import UserError

    with tempfile.TemporaryDirectory(prefix="zoo-fuzz-") as folder, redirect_stderr(io.StringIO()):
        file = Path(folder, "input")
        file.write_bytes(content)
        signal.alarm(SECONDS)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read(file)
        except UserError as error:
            try:
                str(error).encode("utf-8")
            except UnicodeEncodeError as other:
                return other
        except BaseException as error:  # panics of Rust are no `Exception`
            return error
        finally:
            signal.alarm(0)
    return None


def place(error: BaseException) -> str:
    """Kind of an error and where our code raised it: equal for equal findings."""
    ours = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "/zoo/" in frame.filename or "/tasks/" in frame.filename
    ]
    where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
    return f"{type(error).__name__} at {where}"


def limit() -> None:
    """Memory and time of this process."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + BYTES, used + BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def too_long(*_: Any) -> None:
        raise TimeoutError(f"more than {SECONDS} seconds")

    signal.signal(signal.SIGALRM, too_long)


def child(scratch: Path, seed: int, only: list[str], seconds: float) -> None:
    """Reads mutated inputs until the time is over. What is being read lies in `scratch`, for the parent."""
    good, table = samples(), readers()
    names = only or list(table)
    limit()
    rng, until, count = random.Random(seed), time.monotonic() + seconds, 0
    seen = set(filter(None, (scratch / "seen").read_text().splitlines()))
    while time.monotonic() < until:
        name = rng.choice(names)
        content = mutated(rng, good[name])
        (scratch / "current").write_bytes(name.encode() + b"\n" + content)
        error = read_one(table[name], content)
        count += 1
        if error is None and rng.random() < 0.02 and len(content) < 100_000:
            good[name].append(content)  # mutations of mutations
        if error is not None and place(error) not in seen:
            seen.add(place(error))
            report(name, content, seed, place(error), "".join(traceback.format_exception(error)))
            (scratch / "seen").write_text("\n".join(seen))
        if count % 100 == 0:
            (scratch / "count").write_text(str(count))
    (scratch / "count").write_text(str(count))


def guided(scratch: Path, seed: int, only: list[str], seconds: float) -> None:
    """The same with atheris: the first byte of an input chooses the reader."""
    import atheris

    with atheris.instrument_imports(include=["zoo", "tasks"]):
        table = readers()
    good, names, count = samples(), only or list(table), 0
    corpus = scratch / "corpus"
    corpus.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        for index, content in enumerate(good[name]):
            if len(content) < 20_000:
                (corpus / f"{name}-{index}").write_bytes(bytes([number]) + content)
    limit()
    seen = set(filter(None, (scratch / "seen").read_text().splitlines()))

    def test_one_input(data: bytes) -> None:
        nonlocal count
        if not data:
            return
        name, content = names[data[0] % len(names)], data[1:]
        (scratch / "current").write_bytes(name.encode() + b"\n" + content)
        error = read_one(table[name], content)
        count += 1
        if error is not None and place(error) not in seen:
            seen.add(place(error))
            report(name, content, seed, place(error), "".join(traceback.format_exception(error)))
            (scratch / "seen").write_text("\n".join(seen))
        if count % 100 == 0:
            (scratch / "count").write_text(str(count))

    options = [f"-max_total_time={int(seconds)}", f"-seed={seed}", "-max_len=20000", "-verbosity=0", "-rss_limit_mb=0"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], test_one_input)
    atheris.Fuzz()


def report(name: str, content: bytes, seed: int, what: str, details: str) -> None:
    """Prints a finding and keeps its input."""
    FINDINGS.mkdir(exist_ok=True)
    file = FINDINGS / f"{name}-{hashlib.sha256(content).hexdigest()[:8]}"
    file.write_bytes(content)
    print(f"\n{file} (seed {seed}): {what}\n{details[-3000:]}", flush=True)


# The parent process


def watch(command: list[str], scratch: Path, seconds: float) -> int | None:
    """Runs a child; kills it if it hangs in one input, which is a finding. Returns its exit status, None if killed."""
    process = subprocess.Popen(command)
    current, until = scratch / "current", time.monotonic() + seconds + 120
    while process.poll() is None:
        time.sleep(1)
        hangs = current.exists() and time.time() - current.stat().st_mtime > 2 * SECONDS
        if hangs or time.monotonic() > until:
            process.kill()
            process.wait()
            return None
    return process.returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="Readers, separated by commas.")
    parser.add_argument("--engine", choices=("auto", "atheris", "random"), default="auto")
    parser.add_argument("--replay", type=Path, help="One kept input.")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    only = [name for name in given.only.split(",") if name]
    if given.replay:
        error = read_one(readers()[given.replay.name.rpartition("-")[0]], given.replay.read_bytes())
        if error is not None:
            traceback.print_exception(error)
        sys.exit(error is not None)
    if given.engine == "auto":
        from importlib.util import find_spec

        given.engine = "atheris" if find_spec("atheris") else "random"
    if given.child:
        run = guided if given.engine == "atheris" else child
        run(Path(given.child[0]), given.seed, only, float(given.child[1]))
        return
    before = set(FINDINGS.glob("*"))
    began, seed, count = time.monotonic(), given.seed, 0
    with tempfile.TemporaryDirectory(prefix="zoo-fuzz-") as name:
        scratch = Path(name)
        (scratch / "seen").touch()
        while (left := began + 60 * given.minutes - time.monotonic()) > 1:
            (scratch / "count").write_text("0")
            (scratch / "current").unlink(missing_ok=True)
            command = [sys.executable, __file__, "--engine", given.engine, "--seed", str(seed), "--only", given.only]
            status = watch([*command, "--child", name, str(left)], scratch, left)
            count += int((scratch / "count").read_text() or 0)
            if status != 0:
                what = "hangs" if status is None else f"exit status {status}"
                reader, _, content = (scratch / "current").read_bytes().partition(b"\n")
                report(reader.decode(), content, seed, what, "The process that read it ended.")
            seed += 1_000  # another child, other inputs
    found = sorted(set(FINDINGS.glob("*")) - before)
    print(f"{given.engine}: {count:,} inputs in {(time.monotonic() - began) / 60:.1f} minutes, {len(found)} findings.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
