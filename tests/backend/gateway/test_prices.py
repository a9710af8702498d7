import pytest

from hearth_backend.gateway.prices import cost

pytestmark = pytest.mark.unit


async def test_what_is_answered_at_home_costs_nothing() -> None:
    assert await cost("this machine", "gpt-4o", (1000, 1000)) == 0.0
    assert await cost("another machine", "gpt-4o", (1000, 1000)) == 0.0


async def test_a_price_of_the_settings_goes_before_the_table() -> None:
    assert await cost("cloud", "gpt-4o", (1_000_000, 500_000), (2.0, 8.0)) == 6.0


async def test_a_known_cloud_model_is_priced_from_the_table() -> None:
    price = await cost("cloud", "gpt-4o", (1_000_000, 0))
    assert price is not None
    assert price > 0


async def test_a_model_nobody_knows_has_no_price() -> None:
    assert await cost("cloud", "my-own-model", (1, 1)) is None
