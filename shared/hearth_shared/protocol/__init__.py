"""Every message between Hearth's programs, defined once: frozen models, from which `wire.py` is generated.

Add fields with defaults, never change a meaning; readers ignore what they do not know.
"""
