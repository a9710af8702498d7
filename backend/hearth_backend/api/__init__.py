"""The gate and thin routers; the only room that knows FastAPI."""
