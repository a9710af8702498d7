"""Metrics, traces, health: kept on this machine."""
