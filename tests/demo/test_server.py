"""Address, port, and what is said where the page cannot be served."""

import importlib.util
import socket
from typing import Any

import pytest
from click.testing import CliRunner

from zoo.cli import cli
from zoo.demo import server
from zoo.errors import UserError


def test_without_gradio_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec

    def hidden(name: str, *others: Any) -> Any:
        return None if name == "gradio" else find(name, *others)

    monkeypatch.setattr(importlib.util, "find_spec", hidden)
    result = CliRunner().invoke(cli, ["demo"])
    assert isinstance(result.exception, UserError)
    assert 'pip install "zoo[demo]"' in str(result.exception)


def test_only_this_computer_unless_asked() -> None:
    with server.bind("127.0.0.1", 0) as listening:
        assert server.is_local(listening)
        assert server.address(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}"
    with server.bind("0.0.0.0", 0) as listening:
        assert not server.is_local(listening)


def test_it_says_who_can_reach_it(capsys: pytest.CaptureFixture[str]) -> None:
    with server.bind("0.0.0.0", 0) as listening:
        server.announce(listening, 0)
    assert "Anybody who can reach this computer" in capsys.readouterr().err
    with server.bind("127.0.0.1", 0) as listening:
        server.announce(listening, 0)
    assert capsys.readouterr().err == ""


def test_a_taken_port_is_a_sentence_or_the_next_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"Port {port} is taken: give another --port"):
            server.bind("127.0.0.1", port)
        monkeypatch.setattr(server, "PORT", port)
        with server.bind("127.0.0.1", None) as listening:
            assert port < listening.getsockname()[1] < port + server.PORTS
            server.announce(listening, None)
        assert f"Port {port} is taken; this is the next free one." in capsys.readouterr().err
        monkeypatch.setattr(server, "PORTS", 1)
        with pytest.raises(UserError, match="are all taken: name another"):
            server.bind("127.0.0.1", None)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "8.8.8.8", "a" * 300, "::zz"])
def test_a_host_that_is_not_this_computer(host: str) -> None:
    with pytest.raises(UserError, match=r"--host .*(is no address of this computer|is not the name of a computer)"):
        server.bind(host, 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "65536"], "65536"),
        (["--port", "-1"], "-1"),
        (["--host", ""], "It is empty"),
        (["--models", ""], "It is empty"),
    ],
)
def test_bad_options(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(cli, ["demo", *arguments])
    assert result.exit_code == 2
    assert words in result.output


def test_models_that_do_not_exist_are_named() -> None:
    result = CliRunner().invoke(cli, ["demo", "--models", "sentiment-gru-imbd"])
    assert isinstance(result.exception, UserError)
    assert "sentiment-gru-imdb" in str(result.exception)
    result = CliRunner().invoke(cli, ["demo", "--models", " , "])
    assert isinstance(result.exception, UserError)
    assert "--models names no model" in str(result.exception)
