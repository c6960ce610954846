"""The moto server in a process of its own, at a port that is free: what stands in for Amazon's API."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from kubo_sdk.engine.retry import wait_until

REGION = "us-east-1"
ACCESS, SECRET = "AKIAKUBOCONTRACT0000", "a-secret-that-nobody-may-see"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def moto_server(log: Path) -> Iterator[int]:
    """Yields the port."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    # Refuse types that Amazon does not have, too.
    environment = {**os.environ, "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION": "true"}
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        wait_until(lambda: _answers(process, port), what="the start of the moto server", timeout=120.0)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _answers(process: subprocess.Popen[bytes], port: int) -> bool | None:
    assert process.poll() is None, "the moto server ended"
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=5):
            return True
    except OSError:
        return None


def client(port: int, service: str = "ec2") -> Any:
    """A client that has nothing in common with ours."""
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id=ACCESS,
        aws_secret_access_key=SECRET,
        config=Config(max_pool_connections=64),
    )


def billed(ec2: Any, elb: Any) -> dict[str, list[str]]:
    """Everything of the account that costs money or is left lying about."""
    balancers = elb.describe_load_balancers()["LoadBalancerDescriptions"]
    alive = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
    reservations = ec2.describe_instances(Filters=alive)["Reservations"]
    return {
        "instances": sorted(each["InstanceId"] for found in reservations for each in found["Instances"]),
        "volumes": sorted(each["VolumeId"] for each in ec2.describe_volumes()["Volumes"]),
        "addresses": sorted(each["PublicIp"] for each in ec2.describe_addresses()["Addresses"]),
        "balancers": sorted(each["LoadBalancerName"] for each in balancers),
        "groups": sorted(each["GroupId"] for each in ec2.describe_security_groups()["SecurityGroups"]),
        "keys": sorted(each["KeyName"] for each in ec2.describe_key_pairs()["KeyPairs"]),
        "interfaces": sorted(
            each["NetworkInterfaceId"] for each in ec2.describe_network_interfaces()["NetworkInterfaces"]
        ),
    }
