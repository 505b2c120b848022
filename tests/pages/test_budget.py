from __future__ import annotations

from asok.pages.budget import Weight, WeightPart


def test_weight_is_the_sum_of_what_is_sent() -> None:
    parts = [WeightPart("/", 100), *(WeightPart(f"{n}.js", n * 1000) for n in (1, 2, 3))]
    weight = Weight("/", parts, 5000)
    assert (weight.size, weight.over) == (6100, 1100)
    assert Weight("/", parts, 7000).over == 0
    assert str(weight) == (
        "/ weighs 6.1 kB, 1.1 kB more than its budget of 5.0 kB: "
        "3.js 3.0 kB, 2.js 2.0 kB, 1.js 1.0 kB and 1 more"
    )
