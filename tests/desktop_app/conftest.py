"""Qt without a display, and a home for every test."""

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"
