from __future__ import annotations

import os
import socket

from asok.cli.dev.channel import Channel, Lines, encode


def test_messages_arrive_whole_however_they_are_cut() -> None:
    data = encode(["changed", "a\nb", "ü"]) + encode(["retire"])
    for size in (1, 2, 7, len(data)):
        lines = Lines()
        found = [
            message
            for start in range(0, len(data), size)
            for message in lines.feed(data[start : start + size])
        ]
        assert found == [["changed", "a\nb", "ü"], ["retire"]]


def test_descriptor_travels_with_its_message_even_where_several_are_joined() -> None:
    ours, theirs = (Channel(one) for one in socket.socketpair())
    reading, writing = os.pipe()
    ours.send(["kill", 1])
    ours.send(["start", 2], writing)
    ours.send(["start", 3], writing)
    os.close(writing)
    assert theirs.receive() == ["kill", 1]
    assert theirs.receive() == ["start", 2]
    first = theirs.descriptor()
    assert theirs.receive() == ["start", 3]
    second = theirs.descriptor()
    os.write(first, b"a")
    os.write(second, b"b")
    assert os.read(reading, 2) == b"ab"
    for descriptor in (first, second, reading):
        os.close(descriptor)
    ours.close()
    assert theirs.receive() is None
    theirs.close()
