"""A stage that could not be finished."""


class SetupFailed(Exception):
    """Says what happened (`detail`) and what to do (`fix`)."""

    def __init__(self, detail: str, fix: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fix = fix
