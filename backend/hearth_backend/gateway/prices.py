"""What a call cost, in US dollars: nothing at home, the settings' price, the offline table, or not known."""

import asyncio
import logging

from hearth_backend.gateway.policy import Route
from hearth_backend.gateway.remote import Remote
from hearth_shared.protocol.models import Where

log = logging.getLogger(__name__)
Prices = tuple[float | None, float | None]


async def cost_of(route: Route, read: int, written: int) -> float | None:
    """What a route's tokens cost, by its settings first."""
    prices = route.provider.prices if isinstance(route.provider, Remote) else (None, None)
    return await cost(route.provider.where, route.model, (read, written), prices)


async def cost(where: Where, model: str, tokens: tuple[int, int], prices: Prices = (None, None)) -> float | None:
    """0 on a machine of the person's own (unless the settings name a price), None when nobody knows the price."""
    read, written = tokens
    if prices != (None, None):
        return (read * (prices[0] or 0.0) + written * (prices[1] or 0.0)) / 1e6
    if where != "cloud":
        return 0.0
    return await asyncio.to_thread(_listed, model, read, written)


def _listed(model: str, read: int, written: int) -> float | None:
    # 400 ms of import that only a cloud call pays, in its thread; the table comes with the package, no network
    from genai_prices import Usage, calc_price

    try:
        found = calc_price(Usage(input_tokens=read, output_tokens=written), model.rpartition("/")[2])
    except LookupError:
        log.info("no price is known for %s", model)
        return None
    return float(found.total_price)
