"""Backups in a bucket of a server that speaks S3 and checks signatures; and the signature of Amazon's own example."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from attrs import evolve, frozen

from kubo_sdk.backup.s3 import PART_BYTES, S3Place
from kubo_sdk.backup.s3_client import EMPTY, S3Client
from kubo_sdk.backup.sigv4 import Account, Asked, signed_headers
from kubo_sdk.engine.clock import SystemClock
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import AuthError, NotFound, Unavailable
from kubo_sdk.model.secret import Secret

moto = pytest.importorskip("moto", reason="the stand-in for S3 is moto's server")

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
# Its making of the account below goes unsigned; every request after it must be signed.
UNSIGNED = 4


def test_a_request_is_signed_as_in_amazons_example() -> None:
    """From the guide "Signature Calculations for the Authorization Header", GET Object."""
    asked = Asked(
        method="GET",
        path="/test.txt",
        headers={"Host": "examplebucket.s3.amazonaws.com", "Range": "bytes=0-9"},
        digest=EMPTY,
    )
    account = Account(access_key="AKIAIOSFODNN7EXAMPLE", secret_key=Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"))
    headers = signed_headers(asked, account, "us-east-1", datetime(2013, 5, 24, tzinfo=UTC))
    assert headers["Authorization"].endswith(
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


def test_a_query_is_signed_as_in_amazons_example() -> None:
    """The same guide, List Objects."""
    asked = Asked(
        method="GET",
        path="/",
        query={"prefix": "J", "max-keys": "2"},
        headers={"Host": "examplebucket.s3.amazonaws.com"},
        digest=EMPTY,
    )
    account = Account(access_key="AKIAIOSFODNN7EXAMPLE", secret_key=Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"))
    headers = signed_headers(asked, account, "us-east-1", datetime(2013, 5, 24, tzinfo=UTC))
    assert headers["Authorization"].endswith("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")


@frozen
class Server:
    """Where it listens, and who may use it."""

    endpoint: str
    account: Account

    def place(self, bucket: str = "backups", **changes: object) -> S3Place:
        client = S3Client(
            endpoint=self.endpoint,
            region="us-east-1",
            bucket=bucket,
            account=self.account,
            now=SystemClock().now,
        )
        return S3Place(client=evolve(client, **changes), prefix="some/where/")


def iam(endpoint: str, action: str, **fields: str) -> str:
    body = urlencode({"Action": action, "Version": "2010-05-08", **fields}).encode()
    authorization = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=x"
    request = urllib.request.Request(endpoint, body, {"Authorization": authorization})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    environment = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(UNSIGNED)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def listens() -> bool | None:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0 or None

    try:
        wait_until(listens, what="moto listening", timeout=60, clock=SystemClock())
        iam(endpoint, "CreateUser", UserName="kubo")
        iam(endpoint, "PutUserPolicy", UserName="kubo", PolicyName="all", PolicyDocument=json.dumps(POLICY))
        answer = iam(endpoint, "CreateAccessKey", UserName="kubo")
        access, secret = (
            answer.partition(f"<{name}>")[2].partition("<")[0] for name in ("AccessKeyId", "SecretAccessKey")
        )
        made = Server(endpoint, Account(access_key=access, secret_key=Secret(secret)))
        made.place().client.ask("PUT", "")
        yield made
    finally:
        process.terminate()
        process.wait()


def keep(place: S3Place, name: str, content: bytes, piece: int = 1_000_000) -> None:
    with place.write(name) as writing:
        for start in range(0, len(content), piece):
            writing.write(content[start : start + piece])
        assert b"".join(writing.read_back()) == content
        assert name not in [each.name for each in place.list()]
        writing.publish()


@pytest.mark.parametrize("size", [1, PART_BYTES, 2 * PART_BYTES + 12345])
def test_what_was_published_is_listed_and_read(server: Server, size: int) -> None:
    place, name = server.place(), f"published-{size}"
    content = os.urandom(size)
    keep(place, name, content)
    assert size in [each.size for each in place.list() if each.name == name]
    assert b"".join(place.read(name)) == content
    place.delete(name)
    place.delete(name)
    assert name not in [each.name for each in place.list()]


def test_more_than_one_page_is_listed(server: Server) -> None:
    place = evolve(server.place(), prefix="pages/", page=2)
    for number in range(5):
        place.client.ask("PUT", f"pages/{number}.kubo", body=b"x")
    assert [each.name for each in place.list()] == ["0", "1", "2", "3", "4"]


def incoming(server: Server) -> str:
    client = server.place().client
    objects = client.ask("GET", "", {"list-type": "2", "prefix": "some/where/incoming/"}).body
    return (objects + client.ask("GET", "", {"uploads": "", "prefix": "some/where/incoming/"}).body).decode()


@pytest.mark.parametrize("whole", [False, True])
def test_what_was_not_published_leaves_nothing(server: Server, whole: bool) -> None:
    with contextlib.suppress(ZeroDivisionError), server.place().write("never") as writing:
        writing.write(b"x" * (PART_BYTES + 1))
        if whole:
            assert len(b"".join(writing.read_back())) == PART_BYTES + 1
        raise ZeroDivisionError
    assert "never" not in incoming(server)
    assert "never" not in [each.name for each in server.place().list()]


def test_what_a_killed_process_left_goes_after_a_day(server: Server) -> None:
    """moto tells of every upload that it began in 2010."""
    client = server.place().client
    client.ask("PUT", "some/where/incoming/killed-late", body=b"x")
    keep(server.place(), "now", b"1")
    assert "killed-late" in incoming(server)
    client.ask("POST", "some/where/incoming/killed-early", {"uploads": ""})
    assert "killed-early" in incoming(server)
    place = evolve(server.place(), abandoned=timedelta(0))
    keep(place, "then", b"1")
    assert "killed" not in incoming(server)


def test_a_wrong_key_is_refused_in_one_sentence(server: Server) -> None:
    place = server.place(account=evolve(server.account, secret_key=Secret("wrong")))
    with pytest.raises(AuthError, match=r"the bucket backups at .* said 403 .*; check the access key and its rights"):
        place.list()


def test_a_bucket_that_is_not_there_is_told(server: Server) -> None:
    with pytest.raises(NotFound, match=r"the bucket nowhere at .* said 404 NoSuchBucket"):
        server.place(bucket="nowhere").list()


def test_a_backup_that_is_not_there_is_told(server: Server) -> None:
    with pytest.raises(NotFound, match=r"there is no backup absent in s3://backups/some/where"):
        next(server.place().read("absent"))


def test_a_server_that_is_away_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    account = Account(access_key="a", secret_key=Secret("s"))
    with pytest.raises(Unavailable, match=r"cannot be reached"):
        Server(f"http://127.0.0.1:{port}", account).place().list()
