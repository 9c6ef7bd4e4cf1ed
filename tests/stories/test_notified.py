"""Stories of notifications: texts for mail and chat, and dead letters for those that cannot be delivered."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from natdrain_sim.cloud import EmbeddedCloud
from support.stories import BuildGateway

_numbers = itertools.count()


class Reader:
    """A reader of one of the topics, through a queue of its own."""

    def __init__(self, cloud: EmbeddedCloud, topic: str) -> None:
        self._sqs = cloud.client("sqs")
        self._url = self._sqs.create_queue(QueueName=f"{topic}-{next(_numbers)}")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        cloud.client("sns").subscribe(
            TopicArn=topic_arn(cloud, topic),
            Protocol="sqs",
            Endpoint=attributes["Attributes"]["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )

    def read(self) -> list[str]:
        return bodies(self._sqs, self._url)


def topic_arn(cloud: EmbeddedCloud, name: str) -> str:
    [arn] = [
        one["TopicArn"] for one in cloud.client("sns").list_topics()["Topics"] if name in one["TopicArn"]
    ]
    return str(arn)


def bodies(sqs: Any, url: str) -> list[str]:
    """Take all messages out of a queue."""
    found: list[str] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found.append(message["Body"])
    return found


@pytest.fixture
def mail(cloud: EmbeddedCloud) -> Reader:
    return Reader(cloud, "Mail")


@pytest.fixture
def chat(cloud: EmbeddedCloud) -> Reader:
    return Reader(cloud, "Chat")


def test_mail_reports_start_and_end_in_one_paragraph_each(
    cloud: EmbeddedCloud, nat: BuildGateway, mail: Reader
) -> None:
    gateway = nat()
    cloud.run(gateway.named(1, Reason="partner blocks it"))
    start, end = mail.read()
    address = gateway.addresses[1]["PublicIp"]
    assert (start[:1], end[:1], start[-2:], end[-2:]) == ('"', '"', ' "', ' "')
    assert start.startswith(f'"{address} is leaving the NAT gateway {gateway.gateway_id}')
    assert end.startswith(f'"{address} ')
    assert f"left the NAT gateway {gateway.gateway_id}" in end
    assert "\n" not in start + end


def test_chat_gets_titles_and_the_texts_of_the_mail(
    cloud: EmbeddedCloud, nat: BuildGateway, mail: Reader, chat: Reader
) -> None:
    cloud.run(nat().named(0))
    [refusal] = chat.read()
    [text] = mail.read()
    content = json.loads(refusal)["content"]
    assert content["title"].startswith("natdrain: refused to take")
    assert f'"{content["description"]} "' == text


def test_dry_run_notifies_nobody(cloud: EmbeddedCloud, nat: BuildGateway, mail: Reader) -> None:
    cloud.run(nat().named(1, DryRun=True))
    assert mail.read() == []


def test_message_whose_topic_is_gone_becomes_a_dead_letter(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    sns, arn = cloud.client("sns"), topic_arn(cloud, "Mail")
    sns.delete_topic(TopicArn=arn)
    cloud.run(nat().named(0))
    sns.create_topic(Name=arn.rpartition(":")[2])
    sqs = cloud.client("sqs")
    [url] = sqs.list_queues(QueueNamePrefix="Natdrain-DeadLetters")["QueueUrls"]
    [letter] = bodies(sqs, url)
    assert json.loads(letter)["detail"]["Outcome"] == "refused"
