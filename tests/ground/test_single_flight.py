"""One computation serves all who ask meanwhile, over threads and tasks."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from asok.single_flight import SingleFlight


def test_threads_share_one_computation() -> None:
    flight: SingleFlight[int] = SingleFlight()
    calls: list[int] = []
    gate = threading.Event()

    def compute() -> int:
        calls.append(1)
        gate.wait(5)
        return 7

    with ThreadPoolExecutor(20) as pool:
        results = [pool.submit(flight.run, "k", compute) for _ in range(20)]
        time.sleep(0.05)
        gate.set()
        assert {result.result() for result in results} == {7}
    assert len(calls) == 1
    assert len(flight) == 0


def test_a_failure_reaches_every_waiter_and_is_forgotten() -> None:
    flight: SingleFlight[int] = SingleFlight()
    gate = threading.Event()

    def fail() -> int:
        gate.wait(5)
        raise ValueError("no")

    with ThreadPoolExecutor(5) as pool:
        results = [pool.submit(flight.run, "k", fail) for _ in range(5)]
        time.sleep(0.05)
        gate.set()
        assert all(isinstance(result.exception(), ValueError) for result in results)
    assert flight.run("k", lambda: 1) == 1


def test_a_waiter_computes_for_itself_after_its_limit() -> None:
    flight: SingleFlight[str] = SingleFlight()
    gate = threading.Event()

    def slow() -> str:
        gate.wait(5)
        return "slow"

    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(flight.run, "k", slow)
        while not len(flight):
            time.sleep(0.001)
        assert flight.run("k", lambda: "own", timeout=0.01) == "own"
        gate.set()
        assert leader.result() == "slow"


def test_a_leaders_own_timeout_is_its_error() -> None:
    flight: SingleFlight[str] = SingleFlight()
    gate = threading.Event()

    def fail() -> str:
        gate.wait(5)
        raise TimeoutError("the source")

    with ThreadPoolExecutor(2) as pool:
        pool.submit(flight.run, "k", fail)
        while not len(flight):
            time.sleep(0.001)
        waiter = pool.submit(flight.run, "k", lambda: "own", timeout=5)
        time.sleep(0.02)
        gate.set()
        with pytest.raises(TimeoutError, match="the source"):
            waiter.result()


def test_tasks_share_one_computation_and_survive_a_cancelled_leader() -> None:
    async def main() -> None:
        flight: SingleFlight[int] = SingleFlight()
        calls: list[int] = []

        async def compute() -> int:
            calls.append(1)
            await asyncio.sleep(0.02)
            return len(calls)

        leader = asyncio.create_task(flight.run_async("k", compute))
        await asyncio.sleep(0)
        waiters = [asyncio.create_task(flight.run_async("k", compute)) for _ in range(5)]
        await asyncio.sleep(0.001)
        leader.cancel()
        assert set(await asyncio.gather(*waiters)) == {2}
        assert len(calls) == 2

    asyncio.run(main())


def test_a_task_waits_no_longer_than_its_limit() -> None:
    async def main() -> None:
        flight: SingleFlight[str] = SingleFlight()

        async def fail() -> str:
            await asyncio.sleep(0.05)
            raise ValueError("late")

        async def own() -> str:
            return "own"

        leader = asyncio.create_task(flight.run_async("k", fail))
        await asyncio.sleep(0)
        assert await flight.run_async("k", own, timeout=0.001) == "own"
        with pytest.raises(ValueError, match="late"):
            await leader

    asyncio.run(main())


def test_a_leader_that_is_interrupted_leaves_the_work_to_a_waiter() -> None:
    flight: SingleFlight[int] = SingleFlight()
    gate = threading.Event()

    def interrupted() -> int:
        gate.wait(5)
        raise KeyboardInterrupt

    def lead() -> None:
        with pytest.raises(KeyboardInterrupt):
            flight.run("k", interrupted)

    thread = threading.Thread(target=lead)
    thread.start()
    while not len(flight):
        time.sleep(0.001)
    with ThreadPoolExecutor(1) as pool:
        waiter = pool.submit(flight.run, "k", lambda: 5)
        time.sleep(0.02)
        gate.set()
        assert waiter.result() == 5
    thread.join()


def test_who_comes_after_a_drop_waits_for_nothing_of_before() -> None:
    flight: SingleFlight[int] = SingleFlight()
    gate, entered = threading.Event(), threading.Event()

    def old() -> int:
        entered.set()
        gate.wait(5)
        return 1

    with ThreadPoolExecutor(2) as pool:
        for keys in (["k"], None):
            entered.clear()
            gate.clear()
            leader = pool.submit(flight.run, "k", old)
            assert entered.wait(5)
            flight.drop(["other"])
            assert len(flight) == 1
            flight.drop(keys)
            assert flight.run("k", lambda: 2) == 2
            gate.set()
            assert leader.result() == 1
    assert len(flight) == 0
