"""Models from and to the Hub, against a stand-in of the part of its HTTP interface that `huggingface_hub` uses."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from zoo import cards
from zoo.errors import UserError
from zoo.storage import hub, schema

huggingface_hub = pytest.importorskip(
    "huggingface_hub", reason="huggingface_hub is not installed: pip install 'zoo[hub]'"
)
pytest.importorskip("huggingface_hub.constants")

MODEL = Path(__file__).parents[2] / "saved_models" / "classify-perceptron-digits"
TOKEN = "hf_of_this_test"


class Hub:
    """Repositories as lists of commits, each a dictionary of files."""

    def __init__(self):
        self.repositories, self.requests = {}, []

    def commit(self, name, files):
        """Adds a commit; returns its id."""
        found = hashlib.sha1(json.dumps([len(self.requests), sorted(files)]).encode()).hexdigest()
        self.repositories.setdefault(name, []).append((found, files))
        return found

    def files(self, name, revision):
        """Commit and files of a revision, or None."""
        commits = self.repositories.get(name) or [("0" * 40, {})]
        return next((c for c in reversed(commits) if revision in ("main", c[0])), None)


class Handler(BaseHTTPRequestHandler):
    """The endpoints."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, value, status=200, **headers):
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for key, text in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(key.replace("_", "-"), text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def missing(self, what):
        self.answer({"error": what}, 404, X_Error_Code=what)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        store, parts = self.server.hub, [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        store.requests.append((self.command, self.path))
        if len(parts) < 4:  # what else the package may ask for
            return self.missing("EntryNotFound")
        if parts[:2] == ["api", "models"]:
            name, revision = "/".join(parts[2:4]), parts[5] if len(parts) > 5 else "main"
        else:
            name, revision = "/".join(parts[:2]), parts[3]
        if name not in store.repositories:
            return self.missing("RepoNotFound")
        if (found := store.files(name, revision)) is None:
            return self.missing("RevisionNotFound")
        commit, files = found
        if parts[0] == "api":
            siblings = [{"rfilename": file, "size": len(content)} for file, content in files.items()]
            return self.answer({"id": name, "sha": commit, "siblings": siblings})
        content = files.get("/".join(parts[4:]))
        if content is None:
            return self.missing("EntryNotFound")
        return self.answer(content, ETag=f'"{hashlib.sha1(content).hexdigest()}"', X_Repo_Commit=commit)

    def do_POST(self):
        store, path = self.server.hub, urlsplit(self.path).path
        store.requests.append(("POST", path))
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if path == "/api/validate-yaml":
            self.server.cards.append(json.loads(body)["content"])
            return self.answer({"errors": [], "warnings": []})
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.answer({"error": "Invalid credentials"}, 401)
        if path == "/api/repos/create":
            given = json.loads(body)
            name = f"{given['organization']}/{given['name']}"
            if name in store.repositories:
                return self.answer({"url": f"/{name}"}, 409)
            store.repositories[name] = []
            return self.answer({"url": f"http://{self.headers['Host']}/{name}"})
        _, _, user, model, action, _ = path.strip("/").split("/")
        if action == "preupload":
            files = [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in json.loads(body)["files"]
            ]
            return self.answer({"files": files})
        files = dict(store.files(f"{user}/{model}", "main")[1])
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        commit = store.commit(f"{user}/{model}", files)
        return self.answer(
            {"commitOid": commit, "commitUrl": f"http://{self.headers['Host']}/{user}/{model}/commit/{commit}"}
        )


@pytest.fixture
def server(monkeypatch, tmp_path):
    """The stand-in, as `huggingface_hub` finds it, and an empty cache."""
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.hub, running.cards, running.url = Hub(), [], f"http://127.0.0.1:{running.server_port}"
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", running.url)  # as HF_ENDPOINT does before the import
    template = running.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(hub.cache, "folder", lambda: tmp_path / "cache")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def test_what_was_pushed_answers_as_before(server, tmp_path):
    from zoo import saved

    address = saved.push(MODEL, "hf://someone/digits")
    assert address.startswith("hf://someone/digits@")
    model = saved.load("hf://someone/digits")
    assert model.path == tmp_path / "cache" / "hub" / "someone" / address.partition("@")[2] / "digits"
    golden = json.loads((MODEL / "golden.json").read_text())
    assert [answer["label"] for answer in model.predict(golden["inputs"])] == [
        answer["label"] for answer in golden["outputs"]
    ]
    assert cards.locate(address) == model.path


def test_a_model_is_downloaded_once(server):
    hub.push(MODEL, "hf://someone/digits")
    first = hub.fetch("hf://someone/digits")
    server.hub.requests.clear()
    assert hub.fetch("hf://someone/digits") == first
    assert [path for _, path in server.hub.requests if "resolve" in path] == []
    pinned = f"hf://someone/digits@{first.parent.name}"
    server.hub.requests.clear()
    assert hub.fetch(pinned) == first
    assert server.hub.requests == []
    names = {file.relative_to(first).as_posix() for file in first.rglob("*") if file.is_file()}
    manifest = schema.read(MODEL, cards.FILES, schema.Manifest)["files"]
    assert names == {
        *manifest,
        cards.FILES,
        cards.CARD,
        *({cards.MEASURED} if (MODEL / cards.MEASURED).exists() else ()),
    }


def test_only_the_files_of_the_model_are_pushed(server, tmp_path):
    mine = tmp_path / "mine"
    shutil.copytree(MODEL, mine)
    (mine / "diary.txt").write_text("nobody's business")
    hub.push(mine, "hf://someone/mine")
    files = server.hub.files("someone/mine", "main")[1]
    assert "diary.txt" not in files
    assert {cards.CARD, cards.FILES, "model.keras", "assets/labels.json"} <= set(files)


def test_a_new_model_takes_the_assets_of_an_old_one_away(server):
    server.hub.commit("someone/digits", {"assets/old.json": b"{}", "notes.md": b"by hand"})
    hub.push(MODEL, "hf://someone/digits")
    files = server.hub.files("someone/digits", "main")[1]
    assert "assets/old.json" not in files
    assert files["notes.md"] == b"by hand"


def test_the_card_has_what_the_hub_reads(server):
    import yaml

    hub.push(MODEL, "hf://someone/digits")
    text = server.hub.files("someone/digits", "main")[1][cards.CARD].decode()
    _, head, body = text.split("---\n", 2)
    facts = yaml.safe_load(head)
    assert facts["library_name"] == "keras"
    assert facts["license"] in ("apache-2.0", "other", "unknown")
    assert {"zoo", "classify"} <= set(facts["tags"])
    (result,) = facts["model-index"][0]["results"]
    metrics = {item["type"]: item["value"] for item in result["metrics"]}
    assert metrics["accuracy"] == cards.summarize(MODEL).metrics["scores"]["test"]["accuracy"]
    assert body.startswith("# classify-perceptron-digits")
    huggingface_hub.ModelCardData(**{key.replace("-", "_"): value for key, value in facts.items()})
    assert huggingface_hub.ModelCard(text).data.library_name == "keras"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda files: files.pop("model.keras"), "is not a whole saved model of zoo: 'model.keras' is not there"),
        (lambda files: files.pop("files.json"), "is not a saved model of zoo: it has no files.json"),
        (lambda files: files.update({"model.keras": files["model.keras"][:-1] + b"x"}), "SHA-256 differs"),
        (
            lambda files: files.update({"files.json": files["files.json"].replace(b"golden", b"../../golden")}),
            "not a whole",
        ),
        (lambda files: files.update({"files.json": b"[1]"}), "files.json"),
    ],
)
def test_what_is_no_whole_model_leaves_nothing(server, change, sentence, tmp_path):
    hub.push(MODEL, "hf://someone/digits")
    files = dict(server.hub.files("someone/digits", "main")[1])
    change(files)
    server.hub.commit("someone/digits", files)
    with pytest.raises(UserError, match=sentence):
        hub.fetch("hf://someone/digits")
    assert [file for file in (tmp_path / "cache").rglob("*") if file.is_file()] == []


def test_a_model_that_is_too_large_is_not_downloaded(server, monkeypatch):
    hub.push(MODEL, "hf://someone/digits")
    monkeypatch.setattr(hub, "MOST_BYTES", 1000)
    with pytest.raises(UserError, match="more than a model of zoo may have"):
        hub.fetch("hf://someone/digits")
    assert not [path for _, path in server.hub.requests if path.endswith("model.keras")]


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("hf://digits", "is no address of a model on the Hub: write hf://user/model"),
        ("hf://a/../../b", "is no address"),
        ("hf://a/b@..", "is no address"),
        ("hf://someone/nothing", "The Hub has no model hf://someone/nothing, or it is private"),
        ("hf://someone/digits@v9", "has no such branch, tag or commit"),
    ],
)
def test_addresses_that_name_no_model(server, address, sentence):
    server.hub.commit("someone/digits", {})
    with pytest.raises(UserError, match=sentence):
        hub.fetch(address)


def test_pushing_needs_a_login(server, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_of_somebody_else")
    with pytest.raises(UserError, match="`hf auth login`"):
        hub.push(MODEL, "hf://someone/digits")
    assert server.hub.repositories == {}


def test_a_damaged_model_is_not_pushed(server, tmp_path):
    shutil.copytree(MODEL, tmp_path / "broken")
    (tmp_path / "broken" / "golden.json").write_text("{}")
    with pytest.raises(UserError, match="is damaged"):
        hub.push(tmp_path / "broken", "hf://someone/broken")
    assert server.hub.requests == []


def test_without_network_there_is_one_sentence(server, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")  # nothing listens there
    for call in (lambda: hub.fetch("hf://someone/digits"), lambda: hub.push(MODEL, "hf://someone/digits")):
        with pytest.raises(UserError, match="cannot be reached for hf://someone/digits: there is no network"):
            call()


def test_without_the_package_there_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UserError, match=r"need huggingface_hub: pip install 'zoo\[hub\]'"):
        hub.fetch("hf://someone/digits")


def test_the_command_takes_an_address(server, tmp_path):
    """In a process of its own, which knows the Hub by HF_ENDPOINT alone; no Keras is imported to show a card."""
    hub.push(MODEL, "hf://someone/digits")
    environment = {**os.environ, "HF_ENDPOINT": server.url, "XDG_CACHE_HOME": str(tmp_path), "HF_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "zoo", "card", "hf://someone/digits"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "# digits" in done.stdout
    assert len(list((tmp_path / "zoo" / "hub" / "someone").glob("*/digits/model.keras"))) == 1
