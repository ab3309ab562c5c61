from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from benchmarks.notifications_load import Answers, Load, send
from tests.support.lying_server import Behaviour, LyingServer, Peer

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"

Serve = Callable[..., LyingServer]


@dataclass(frozen=True)
class Numbers:
    most_per_second: int = 100_000

    def build(self, numbers: range) -> list[bytes]:
        return [f"POST /{number} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for number in numbers]


@pytest.fixture
def serve() -> Iterator[Serve]:
    started: list[LyingServer] = []

    def start(*behaviours: Behaviour) -> LyingServer:
        started.append(LyingServer(*behaviours))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def answering(*answers: bytes) -> Behaviour:
    """Answer with one after the other, and with the last of them from then on."""

    def behave(peer: Peer) -> None:
        index = 0
        while peer.read_request():
            peer.send(answers[min(index, len(answers) - 1)])
            index += 1

    return behave


def loaded(
    server: LyingServer, *, seconds: float = 0.3, connections: int = 2, per_second: float = 50
) -> Answers:
    load = Load(server.port, 7, seconds=seconds, connections=connections, per_second=per_second)
    return send(load, Numbers())


def test_each_message_is_sent_once_and_its_number_told(serve: Serve) -> None:
    server = serve(answering(_OK))
    answers = loaded(server)
    sent = [int(request.split(b" ")[1][1:]) for request in server.requests]
    assert sorted(sent) == sorted(answers.accepted) == list(range(7, 7 + len(sent)))
    assert len(answers.seconds) == len(sent) == 15
    assert 0 < answers.in_time <= 15


def test_without_a_pace_each_connection_sends_its_next_message_when_the_last_was_answered(
    serve: Serve,
) -> None:
    server = serve(answering(_OK))
    load = Load(server.port, 1, seconds=0.3, connections=2)
    answers = send(load, Numbers())
    assert server.connections == 2
    assert len(answers.accepted) == len(server.requests) > 20


def test_an_answer_in_pieces_and_one_in_chunks_are_one_answer_each(serve: Serve) -> None:
    def behave(peer: Peer) -> None:
        while peer.read_request():
            for piece in (_OK[:20], _OK[20:-1], _OK[-1:]):
                peer.send(piece)
            if not peer.read_request():
                return
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            peer.send(head + b"2\r\nOK\r\n")
            peer.send(b"0\r\n\r\n")

    answers = loaded(serve(behave), connections=1)
    assert len(answers.accepted) == 15
    assert answers.broken == answers.refused == 0


def test_a_refusal_is_answered_and_not_accepted(serve: Serve) -> None:
    refusal = b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n"
    answers = loaded(serve(answering(_OK, refusal, _OK)), connections=1)
    assert answers.refused == 1
    assert 8 not in answers.accepted
    assert len(answers.accepted) == 14


def test_a_message_whose_connection_ends_is_broken_and_the_next_goes_over_a_new_one(
    serve: Serve,
) -> None:
    def hang_up(peer: Peer) -> None:
        peer.read_request()
        peer.reset()

    server = serve(hang_up, answering(_OK))
    answers = loaded(server, connections=1)
    assert answers.broken == 1
    assert server.connections == 2
    assert answers.accepted == list(range(8, 22))


def test_what_waits_because_a_server_is_slow_is_timed_from_when_it_was_due(serve: Serve) -> None:
    def stall_once(peer: Peer) -> None:
        peer.read_request()
        server.stopped.wait(0.2)
        peer.send(_OK)
        answering(_OK)(peer)

    server = serve(stall_once)
    answers = loaded(server, connections=1)
    # One in 20 ms was due meanwhile: the second waited 180 ms, the third 160 ms.
    assert answers.seconds[0] >= 0.2
    assert answers.seconds[1] >= 0.18
    assert answers.seconds[2] >= 0.16
    assert len(answers.accepted) == 15


def test_what_is_never_answered_is_timed_until_the_end(serve: Serve) -> None:
    def say_nothing(peer: Peer) -> None:
        peer.read_request()
        peer.wait()

    server = serve(say_nothing)
    answers = loaded(server)
    assert (answers.accepted, answers.in_time) == ([], 0)
    assert answers.unanswered == len(answers.seconds) == 15
    assert len(server.requests) == 2
    # The first was due at once, the last 280 ms later; the end is two seconds after the load's.
    assert max(answers.seconds) >= 2.3
    assert min(answers.seconds) >= 2.0


def test_what_comes_after_the_time_is_kept_and_does_not_count_for_the_rate(serve: Serve) -> None:
    def stall(peer: Peer) -> None:
        peer.read_request()
        server.stopped.wait(0.4)
        peer.send(_OK)
        answering(_OK)(peer)

    server = serve(stall)
    answers = loaded(server, connections=1)
    assert answers.in_time == 0
    assert answers.accepted == list(range(7, 22))


def test_a_server_that_answers_more_than_was_kept_ready_is_an_error(serve: Serve) -> None:
    load = Load(serve(answering(_OK)).port, 1, seconds=1, connections=1)
    with pytest.raises(ValueError, match="more than was kept ready"):
        send(load, Numbers(most_per_second=5))
