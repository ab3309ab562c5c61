"""The headers of Standard Webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac

from receiver.delivery.signing import headers, written_secret

SECRET = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


def test_the_example_of_the_specification_has_its_signature() -> None:
    body = b'{"test": 2432232314}'
    found = headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        body=body,
        timestamp_seconds=1614265330,
        secrets=[SECRET],
    )
    assert found == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_a_secret_rotates_there_is_a_signature_for_each() -> None:
    found = headers("msg_1", body=b"id=1", timestamp_seconds=1, secrets=[SECRET, b"older"])
    expected = [
        base64.b64encode(hmac.digest(secret, b"msg_1.1.id=1", hashlib.sha256)).decode()
        for secret in (SECRET, b"older")
    ]
    assert found["webhook-signature"] == " ".join(f"v1,{each}" for each in expected)


def test_a_secret_is_written_as_its_holder_needs_it() -> None:
    assert written_secret(SECRET) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
