from pathlib import Path

import pytest

from hearth_backend.gateway.discover import Discovery
from hearth_backend.gateway.messages import ChatRequest
from hearth_shared.errors import NoModel
from hearth_shared.settings import Models as Policy
from support.gateways import CALLER, HELLO, collected, gateway_over, text_of
from support.provider import model_server

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever listens here answers, however slow this machine is now."""
    monkeypatch.setattr("hearth_backend.gateway.discover._KNOCK_S", 60.0)


async def test_servers_that_run_here_are_found_and_the_others_are_not() -> None:
    async with model_server() as gone:
        pass
    async with model_server(models=["qwen3"]) as ollama:
        discovery = Discovery(known=[("ollama", ollama.port), ("lmstudio", gone.port)])
        discovery.start()
        await discovery.look()
        assert [server.name for server in discovery.found()] == ["ollama"]
        await discovery.close()


async def test_a_server_without_models_is_not_offered() -> None:
    async with model_server(models=[]) as server:
        discovery = Discovery(known=[("ollama", server.port)])
        await discovery.look()
        assert discovery.found() == ()
        await discovery.close()


async def test_nobody_is_asked_twice_in_a_minute() -> None:
    async with model_server() as server:
        discovery = Discovery(known=[("ollama", server.port)])
        await discovery.look()
        knocked = server.connections
        await discovery.look()
        assert server.connections == knocked
        await discovery.close()


async def test_nobody_is_asked_when_the_person_does_not_want_it() -> None:
    async with model_server() as server:
        discovery = Discovery(enabled=False, known=[("ollama", server.port)])
        await discovery.look()
        await discovery.close()
    assert server.connections == 0


async def test_what_was_found_is_listed_and_named_but_not_chosen(tmp_path: Path) -> None:
    async with model_server(models=["qwen3"]) as server:
        discovery = Discovery(known=[("ollama", server.port)])
        async with gateway_over(tmp_path, discovery=discovery) as bench:
            assert [info.id for info in await bench.gateway.models()] == ["ollama/qwen3"]
            with pytest.raises(NoModel) as raised:
                await collected(bench.gateway.chat(HELLO, CALLER))
            named = ChatRequest(HELLO.messages, "ollama/qwen3")
            assert text_of(await collected(bench.gateway.chat(named, CALLER))) == "fallback ok"
    assert "`hearth models use ollama/qwen3`" in raised.value.fix


async def test_what_was_accepted_answers(tmp_path: Path) -> None:
    async with model_server(models=["qwen3"]) as server:
        discovery = Discovery(known=[("ollama", server.port)])
        async with gateway_over(tmp_path, discovery=discovery, policy=Policy(chat="ollama/qwen3")) as bench:
            await discovery.look()
            assert text_of(await collected(bench.gateway.chat(HELLO, CALLER))) == "fallback ok"
