"""SQL of the orchestrator beside that of runs, threads and approvals (`../store.py`), a file for each concern."""
