"""Pairing a browser: a code shown here, typed there."""
