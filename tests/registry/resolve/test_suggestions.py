"""Near misses among very many names."""

from __future__ import annotations

from wellread.errors import near_misses
from wellread.registry.resolve import suggestions


def test_a_near_miss_is_found_among_many_names_without_comparing_all() -> None:
    names = {f"small_bert_L{layers}_{hidden}" for layers in range(100) for hidden in range(100)}
    compared: list[str] = []

    def near(word: str, known: list[str]) -> str:
        compared.extend(known)
        return near_misses(word, known)

    assert "'small_bert_L8_51'" in near("small_bret_L8_51", suggestions.alike("small_bret_L8_51", names))
    assert len(compared) <= 100
