"""Fixtures of the account under test: a simulated EC2 with a clock that stands still, or one to verify."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
import pytest
import time_machine
from botocore.exceptions import ClientError
from moto import mock_aws

from natdrain_sim.ec2 import Simulation, install
from natdrain_sim.seams import replaced
from natdrain_sim.servicequotas import quotas
from support.account import VERIFIED, Account, Network, SimulatedAccount, is_no_answer

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

START = datetime(2026, 10, 2, 17, tzinfo=UTC)

BuildNetwork = Callable[..., Network]
Statuses = Callable[[Network], dict[str, str]]
Refused = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """Return one session for all tests, because reading EC2's service model is slow."""
    return boto3.Session("testing", "testing", region_name="us-east-1")


@pytest.fixture
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    """Return the account to verify, or else a new simulated one."""
    if verified := request.config.stash.get(VERIFIED, None):
        yield verified
        return
    clock, session = request.getfixturevalue("clock"), request.getfixturevalue("session")
    install()
    with mock_aws(), replaced(quotas.seams()):
        yield SimulatedAccount(session.client("ec2"), session.client("service-quotas"), clock)


@pytest.fixture
def ec2(account: Account) -> EC2Client:
    return account.ec2


@pytest.fixture
def simulation(account: Account) -> Simulation:
    assert account.in_process, "a fact must not use what only the simulated EC2 can do"
    return Simulation()


@pytest.fixture
def network(account: Account) -> BuildNetwork:
    """Return a function that builds gateways in service, each in its own VPC."""
    assert account.in_process, "a fact must share one gateway: each costs money, time and quota"

    def build(addresses: int = 3) -> Network:
        return account.network(addresses)

    return build


@pytest.fixture
def net(account: Account) -> Network:
    """Return a gateway in service, in a real account with two addresses, EC2's default quota."""
    return account.network(3 if account.in_process else 2)


@pytest.fixture
def roomy(account: Account) -> Network:
    """Return a gateway with three addresses, which may need a higher quota."""
    return account.network(3)


@pytest.fixture
def alone(account: Account) -> Network:
    """Return a gateway with only its primary address."""
    return account.network(1)


@pytest.fixture
def draining(account: Account) -> Network:
    """Return a gateway whose first secondary address drains throughout the test."""
    return account.draining()


@pytest.fixture
def third(draining: Network) -> str:
    """Return the association of a draining gateway's second secondary address."""
    if not draining.association_ids[2:]:
        pytest.skip("this account lets a NAT gateway have no third address: a quota, which can be raised")
    return draining.association_ids[2]


@pytest.fixture
def deleted(account: Account) -> Network:
    """Return a gateway that was deleted during a drain."""
    return account.deleted()


@pytest.fixture
def spare(account: Account) -> str:
    return account.spares(1)[0]


@pytest.fixture
def private_gateway(account: Account) -> str:
    return account.private_gateway()


@pytest.fixture
def statuses(account: Account) -> Statuses:
    """Return a function that describes a gateway's addresses: status per association id."""
    return lambda net: account.statuses(net.gateway_id)


@pytest.fixture
def refused(account: Account) -> Refused:
    """Return a context that expects EC2 to refuse a call with a code, and the simulated EC2 also with a text.

    EC2's own texts are known for few errors and guaranteed for none.
    """

    @contextmanager
    def expect(code: str, text: str = "") -> Iterator[None]:
        try:
            yield
        except ClientError as caught:
            error = caught.response["Error"]
            if error["Code"] != code and is_no_answer(caught):
                raise
            assert error["Code"] == code, error["Message"]
            if account.in_process:
                assert text in error["Message"]
        else:
            pytest.fail(f"accepted, but {code} was expected", pytrace=False)

    return expect
