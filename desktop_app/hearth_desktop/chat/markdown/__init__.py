"""Markdown into one QTextDocument as it arrives, at a cost that does not grow with the answer."""
