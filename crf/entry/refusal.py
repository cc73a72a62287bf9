"""Why a typed answer cannot be stored."""


class Refused(ValueError):
    """Carries one translated sentence that says what to do; the typed text is kept by whoever asked."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
