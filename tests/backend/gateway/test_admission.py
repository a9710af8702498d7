import pytest

from hearth_backend.gateway.admission import Admission
from hearth_backend.gateway.openai_compatible import OpenAICompatible
from hearth_backend.gateway.policy import Route
from hearth_shared.errors import ModelUnavailable
from hearth_shared.settings import Provider as ProviderSettings
from support.clock import Clock
from support.gateways import KeyRing

pytestmark = pytest.mark.unit


def route(model: str = "m", **settings: int) -> Route:
    chosen = ProviderSettings.model_validate({"url": "http://127.0.0.1:1/v1", "where": "this machine", **settings})
    return Route(OpenAICompatible("p", chosen, KeyRing()), model)


def refused(admission: Admission, to: Route) -> ModelUnavailable:
    with pytest.raises(ModelUnavailable) as error:
        admission.admit(to)
    assert error.value.data == {"skipped": True}
    return error.value


def test_a_server_is_asked_no_more_often_than_its_limit() -> None:
    clock = Clock()
    admission, asked = Admission(clock), route(per_minute=2)
    for _ in range(2):
        admission.admit(asked).succeeded()
    assert "providers.p.per_minute" in refused(admission, asked).detail
    clock.pass_(30)
    admission.admit(asked).succeeded()
    refused(admission, asked)


def test_a_server_has_no_more_calls_at_once_than_its_limit_whatever_the_model() -> None:
    admission = Admission(Clock())
    first = admission.admit(route("m", at_once=1))
    assert "providers.p.at_once" in refused(admission, route("n", at_once=1)).detail
    first.failed()
    first.released()  # only the first word counts
    admission.admit(route("n", at_once=1))
    refused(admission, route("m", at_once=1))


def test_a_model_that_keeps_failing_is_left_alone_and_its_neighbour_is_not() -> None:
    clock = Clock()
    admission = Admission(clock)
    for _ in range(5):
        admission.admit(route()).failed()
    assert "left alone for 30 s" in refused(admission, route()).detail
    admission.admit(route("n")).succeeded()
    clock.pass_(31)
    probe = admission.admit(route())
    refused(admission, route())  # one at a time finds out
    probe.succeeded()
    admission.admit(route()).succeeded()


def test_a_server_that_asks_for_rest_gets_it() -> None:
    clock = Clock()
    admission = Admission(clock)
    admission.admit(route()).rest(7)
    refused(admission, route())
    clock.pass_(8)
    admission.admit(route()).succeeded()
