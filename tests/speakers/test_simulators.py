"""Language models and endpoints in a conversation: each in its place, and described as what it is."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from lmrl.cli import describe
from lmrl.config import ConfigError, check, conf_dir
from lmrl.dialogue import Ask, Dialogue, Reply, Simulator, Talk
from lmrl.rollout import Situation, rollout
from lmrl.speakers.completion import Request
from lmrl.speakers.endpoint import Endpoint
from lmrl.speakers.simulators import EndpointSimulator, LanguageSimulator
from lmrl.task import Start, Step
from lmrl.trajectory import Trajectory, Turn
from tests.speakers.test_generation import generator, gpt2, saved, t5


def config(kind: str, **changes: Any) -> Any:
    """`conf/simulator/<kind>.yaml` as a run has it."""
    root = {"cache": "outputs/cache", "simulator": OmegaConf.load(conf_dir() / "simulator" / f"{kind}.yaml")}
    return OmegaConf.merge(root, {"simulator": changes})


def language(folder: str, **changes: Any) -> LanguageSimulator:
    made = instantiate(config("lm", name=folder, device="cpu", **changes).simulator, _convert_="all")
    assert isinstance(made, LanguageSimulator)
    return made


def asked(prompt: str, **changes: Any) -> Ask:
    return Ask(prompt=prompt, scripted=lambda: Reply("never"), **({"seed": 1, "max_new_tokens": 6} | changes))


class Chat(Dialogue):
    """Three lines by somebody else, each of whom one asks twice; the prompt is all that was said."""

    def __init__(self, *, simulator: Simulator) -> None:
        self.simulator = simulator

    def reset(self, seed: int, options: Mapping[str, Any] | None = None) -> str:
        self._seed, self._said = seed, f"Start {seed}\n"
        return self._said

    def talk(self, action: str) -> Talk:
        self._said += action
        for turn in range(1 + self._seed % 2):
            seed = self._seed + len(self._said)
            reply = yield asked(self._said, seed=seed, sample=self._seed % 3 > 0, max_new_tokens=4 + turn)
            self._said += reply.text + "\n"
        return Step(self._said, done=self._said.count("\n") > 6)


class Nod:
    def act(self, situations: list[Situation]) -> list[Turn]:
        return [Turn("Go on.\n", True) for _ in situations]


def talks(simulator: Simulator, seeds: range) -> list[Trajectory]:
    return rollout(lambda: Chat(simulator=simulator), Nod(), [Start(seed) for seed in seeds], max_turns=9)


@pytest.mark.parametrize("make", [gpt2, t5])
def test_an_episode_with_a_language_model_does_not_depend_on_its_batch(tmp_path: Path, make: Any) -> None:
    simulator = language(saved(tmp_path, make))
    together = talks(simulator, range(6))
    assert together == [talks(simulator, range(seed, seed + 1))[0] for seed in range(6)]
    assert together == talks(language(str(tmp_path), batch=2), range(6))
    assert len({episode.turns[-1].text for episode in together}) == 6


def test_a_reply_is_what_the_model_says_to_the_end_of_the_line_as_the_environment_reads_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    requests: list[Request] = []

    def complete(self: object, given: list[Request]) -> list[str]:
        requests.extend(given)
        return [" Yes,\x00 of\tcourse ", "", "No." * 10_000]

    simulator = language(saved(tmp_path, gpt2))
    monkeypatch.setattr(LanguageSimulator, "complete", complete)
    asks = [asked("a", read=str.upper), asked("b", sample=True, seed=7, max_new_tokens=9), asked("c")]
    replies = simulator.reply(asks)
    assert [reply.text for reply in replies[:2]] == ["YES, OF COURSE", ""]
    assert len(replies[2].text) <= 2000
    assert [(r.messages[0].content, r.temperature, r.max_tokens, r.stop) for r in requests] == [
        ("a", 0.0, 6, ("\n",)),
        ("b", 1.0, 9, ("\n",)),
        ("c", 0.0, 6, ("\n",)),
    ]
    assert requests[1].seed == 7


def test_a_language_model_is_described_by_its_weights_and_not_by_its_place(tmp_path: Path) -> None:
    name = saved(tmp_path / "here" / "oracle", gpt2)
    told = language(name).describe(3)
    assert told == f"lm {generator(name).identity()}"
    assert told.startswith("lm oracle ")
    saved(tmp_path / "there" / "oracle", gpt2)
    assert language(str(tmp_path / "there" / "oracle")).describe(4) == told


def test_describing_a_language_model_does_not_load_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulator = language(saved(tmp_path, gpt2))
    monkeypatch.delattr("lmrl.speakers.generation.load")
    assert simulator.describe(1)


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> EndpointSimulator:
    pytest.importorskip("openai", reason="the extra lmrl[openai] is not installed")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    made = instantiate(config("openai", cache=None).simulator, _convert_="all")
    assert isinstance(made, EndpointSimulator)
    return made


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("Yes.", "Yes."),
        ("\n\n Yes.\nIt is.", "Yes."),
        ("", ""),
        ("\u2028\x00", ""),
        ("Deal\ud800\x1b[31m!", "Deal [31m!"),
    ],
)
def test_an_endpoints_reply_is_the_first_line_that_says_something(
    endpoint: EndpointSimulator, monkeypatch: pytest.MonkeyPatch, said: str, heard: str
) -> None:
    requests: list[Request] = []
    monkeypatch.setattr(Endpoint, "complete", lambda self, given: requests.extend(given) or [said for _ in given])
    assert endpoint.reply([asked("a", sample=True, seed=5)]) == [Reply(heard)]
    assert (requests[0].temperature, requests[0].seed, requests[0].stop) == (1.0, 5, ())


def test_an_endpoint_is_described_by_model_and_host(endpoint: EndpointSimulator) -> None:
    assert endpoint.describe(3) == "openai gpt-4o-mini at api.openai.com"
    endpoint.extra["top_p"] = 0.5
    assert endpoint.describe(3) == 'openai gpt-4o-mini at api.openai.com {"top_p": 0.5}'


def test_an_episode_with_an_endpoint_asks_all_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("openai", reason="the extra lmrl[openai] is not installed")
    server = pytest.importorskip("pytest_httpserver", reason="pytest-httpserver is not installed")
    from werkzeug import Response

    def answer(request: Any) -> Response:
        body = request.get_json()
        said = f"{len(body['messages'][0]['content'])} {body.get('seed')} {body['max_tokens']}"
        return Response(json.dumps({"choices": [{"message": {"content": said}}]}), content_type="application/json")

    with server.HTTPServer(threaded=True) as http:
        http.expect_request("/v1/chat/completions").respond_with_handler(answer)
        settings = {"base_url": http.url_for("/v1"), "key_variable": None, "cache": str(tmp_path)}
        simulator = instantiate(config("openai", **settings).simulator, _convert_="all")
        together = talks(simulator, range(4))
        alone = [talks(simulator, range(seed, seed + 1))[0] for seed in range(4)]
        assert together == alone
        assert len({entry[0].get_data() for entry in http.log}) == len(http.log)


@pytest.mark.parametrize("name", ["lm", "openai", "scripted"])
def test_what_the_files_say_is_what_the_classes_take(name: str) -> None:
    check(config(name))


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [("lm", "batch", 0), ("lm", "chat", "sometimes"), ("openai", "retries", -1), ("openai", "timeout_s", 0)],
)
def test_a_wrong_value_is_refused_by_its_key(name: str, key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=rf"^simulator.{key} = "):
        check(config(name, **{key: value}))


def test_a_missing_key_is_told_by_its_place_in_the_config(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openai", reason="the extra lmrl[openai] is not installed")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(Exception, match="key_variable") as raised:
        instantiate(config("openai"), _convert_="all")
    assert str(describe(raised.value, "train")).startswith("simulator.key_variable = OPENAI_API_KEY: set this")
