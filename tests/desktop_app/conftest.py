"""Qt without a display, and a home for every test."""

import os

from support.qt_garbage import collected_in_this_thread

__all__ = ["collected_in_this_thread"]
os.environ["QT_QPA_PLATFORM"] = "offscreen"
