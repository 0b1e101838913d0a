"""Both examples of serving, with real requests on the loopback address."""

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from zoo import saved
from zoo.errors import UserError
from zoo.export import export
from zoo.export.serving import client

PUBLISHED = Path(__file__).parents[2] / "saved_models"
TRANSLATOR = "translate-gru-multi30k-en-de"
TEXTS = ["two dogs run on the grass", "a girl"]


@pytest.fixture(scope="module")
def translator(tmp_path_factory):
    """An exported translator, and the model itself."""
    model = saved.load(PUBLISHED / TRANSLATOR)
    return export(model, tmp_path_factory.mktemp("serving") / "en-de", "savedmodel", examples=0), model


class Runner(BaseHTTPRequestHandler):
    """`POST /v1/models/NAME:predict` as TensorFlow Serving answers it, by TensorFlow in this process."""

    def log_message(self, *_):
        pass

    def do_POST(self):
        import tensorflow as tf

        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            assert self.path == "/v1/models/en-de:predict", self.path
            function = self.server.signatures[request.get("signature_name", "serving_default")]
            specs = function.structured_input_signature[1]
            given = {name: tf.constant(value, specs[name].dtype) for name, value in request["inputs"].items()}
            outputs = {name: tensor.numpy().tolist() for name, tensor in function(**given).items()}
            status, answer = 200, {"outputs": outputs if len(outputs) > 1 else next(iter(outputs.values()))}
        except Exception as error:
            status, answer = 400, {"error": f"{type(error).__name__}: {error}"[:500]}
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def runner(translator):
    """The URL of the model behind the stand-in."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(translator[0] / "1"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Runner)
    server.signatures, server.loaded = loaded.signatures, loaded
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/models/en-de"
    server.shutdown()
    thread.join()
    server.server_close()


def check_requests(url, folder, model):
    """What a client of TensorFlow Serving asks and gets."""
    assert client.translate(folder, url, TEXTS) == [answer["translation"] for answer in model.predict(TEXTS)]
    states = client.call(url, "encode", tokens=[[5, 6, 3]])
    expected = model.net.read(np.array([[5, 6, 3]]), training=False)[0]
    np.testing.assert_allclose(states["state_0_0"], np.asarray(expected[0][0]), atol=1e-5)
    logits = client.call(url, "serve", tokens=[[5, 6, 3]], targets=[[2, 7]])  # one output: no name
    assert np.shape(logits) == (1, 2, model.net.target_embedding.vocabulary_size)
    with pytest.raises(UserError, match="refused the request"):
        client.call(url, "nothing", tokens=[[5]])


def test_requests_of_tensorflow_serving_by_a_runner_in_this_process(runner, translator):
    check_requests(runner, *translator)


def test_tensorflow_serving_itself(translator):
    server = shutil.which("tensorflow_model_server")
    if server is None:
        pytest.skip("tensorflow_model_server is not installed")
    port = free_port()
    command = [server, f"--rest_api_port={port}", f"--port={free_port()}", "--model_name=en-de",
               f"--model_base_path={translator[0]}"]  # fmt: skip
    url = f"http://127.0.0.1:{port}/v1/models/en-de"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(url, process)
            check_requests(url, *translator)
        finally:
            process.terminate()


def test_the_client_says_what_is_wrong(translator, tmp_path):
    with pytest.raises(UserError, match=r"http://127\.0\.0\.1:9/v1/models/x cannot be reached"):
        client.translate(translator[0], "http://127.0.0.1:9/v1/models/x", TEXTS)
    other = export(saved.load(PUBLISHED / "classify-perceptron-digits"), tmp_path / "digits", "savedmodel", examples=0)
    with pytest.raises(UserError, match="is no SavedModel of a translator"):
        client.translate(other, "http://127.0.0.1:9/v1/models/x", TEXTS)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_for(url, process):
    """Returns when a server answers."""
    for _ in range(600):
        assert process.poll() is None, "the server has ended"
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{url} does not answer")


def post(url, value):
    """Status and answer."""
    request = urllib.request.Request(url, json.dumps(value).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_a_service_of_ones_own(tmp_path):
    """The server is a process of its own, in which no Keras is imported."""
    for package in ("onnx", "onnxruntime", "fastapi", "uvicorn"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    model = saved.load(PUBLISHED / "sentiment-gru-reviews")
    path = export(model, tmp_path / "reviews", "onnx", examples=0)
    port = free_port()
    code = (
        "import sys, zoo; sys.modules['keras'] = sys.modules['tensorflow'] = None; "
        "from zoo.export.serving.service import main; main()"
    )
    command = [sys.executable, "-c", code, str(path), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/", process)
            status, answer = post(f"http://127.0.0.1:{port}/predict", {"inputs": ["a fine film", "a dull film"]})
            assert status == 200
            expected = model.predict(["a fine film", "a dull film"])
            assert [item["label"] for item in answer["outputs"]] == [item["label"] for item in expected]
            status, answer = post(f"http://127.0.0.1:{port}/predict", {"inputs": ["x"], "options": {"nothing": 1}})
            assert status == 422
            assert "nothing" in answer["detail"]
            assert post(f"http://127.0.0.1:{port}/predict", {"inputs": ["x"], "options": {"a": "file"}})[0] == 422
            assert post(f"http://127.0.0.1:{port}/predict", {"inputs": []})[0] == 422
            assert post(f"http://127.0.0.1:{port}/predict", {"inputs": ["x" * 20_000]})[0] == 422
        finally:
            process.terminate()


def test_a_service_opens_no_files(tmp_path):
    for package in ("onnx", "onnxruntime", "fastapi", "uvicorn"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    from zoo.export.serving import service

    path = export(saved.load(PUBLISHED / "classify-perceptron-digits"), tmp_path / "digits", "onnx", examples=0)
    with pytest.raises(UserError, match="This service reads texts; models for classify read"):
        service.application(path)
