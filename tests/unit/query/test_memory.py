"""Bounded memory: what was used last stays, and no more than there is room for."""

from hypothesis import given
from hypothesis import strategies as st

from driftband.query.memory import Memory

uses = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["get", "keep"]), st.integers(1, 60)), max_size=60)


@given(uses)
def test_it_is_what_a_list_of_the_last_used_says(done: list[tuple[str, str, int]]) -> None:
    memory, last = Memory[str, int](100), dict[str, int]()
    for key, what, size in done:
        if what == "get":
            assert memory.get(key) == last.get(key)
            if key in last:
                last[key] = last.pop(key)
            continue
        memory.keep(key, size, size)
        last.pop(key, None)
        last[key] = size
        while sum(last.values()) > 100:
            del last[next(iter(last))]
        assert memory.size == sum(last.values())
        assert {one for one in "abcdef" if one in memory} == set(last)
