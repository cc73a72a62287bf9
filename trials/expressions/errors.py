"""The one way an expression can be wrong."""


class ExpressionError(ValueError):
    """`message`: a sentence; `column`: where in the source, from 1."""

    def __init__(self, message: str, column: int = 1) -> None:
        super().__init__(f"column {column}: {message}")
        self.message = message
        self.column = column
