"""Norwegian words by which NCI's English terms are found."""

from functools import cache
from pathlib import Path

from ruamel.yaml import YAML


@cache
def norwegian_words() -> dict[str, str]:
    """{NCI's term: our words for it}; of the terms that matter after radiotherapy of the pelvis."""
    words: dict[str, str] = YAML(typ="safe").load(Path(__file__).parent / "words_nb.yaml")
    return words
