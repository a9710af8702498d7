"""Runs and their durable journal, lanes, cancellation, deadlines, events."""
