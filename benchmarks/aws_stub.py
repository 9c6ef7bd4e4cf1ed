"""AWS on loopback with an answer ready for each call, so that only the caller takes time."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

__all__ = ["ADDRESS", "GATEWAY", "TABLE", "answering"]

TABLE = "table"
GATEWAY = "nat-1234567890abcdef0"
ADDRESS = {
    "AllocationId": "eipalloc-0be6ecac95e8a3b10",
    "AssociationId": "eipassoc-0f96bdca17e8a3b10",
    "PublicIp": "203.0.113.7",
}
_TAGS = "<tagSet><item><key>natdrain:managed</key><value>true</value></item></tagSet>"
_NAMED = "<allocationId>{AllocationId}</allocationId><publicIp>{PublicIp}</publicIp>".format(**ADDRESS)
_PRIMARY = (
    "<item><associationId>eipassoc-0a1b2c3d4e5f60001</associationId><publicIp>203.0.113.1</publicIp>"
    "<allocationId>eipalloc-0a1b2c3d4e5f60001</allocationId><isPrimary>true</isPrimary>"
    "<status>succeeded</status></item>"
)
_SECONDARY = (
    f"<item>{_NAMED}<associationId>{ADDRESS['AssociationId']}</associationId>"
    "<isPrimary>false</isPrimary><status>succeeded</status></item>"
)
_EC2 = {
    "DescribeAddresses": f"<addressesSet><item>{_NAMED}{_TAGS}</item></addressesSet>",
    "DescribeNatGateways": (
        f"<natGatewaySet><item><natGatewayId>{GATEWAY}</natGatewayId><state>available</state>"
        f"<connectivityType>public</connectivityType><natGatewayAddressSet>{_PRIMARY}{_SECONDARY}"
        f"</natGatewayAddressSet>{_TAGS}</item></natGatewaySet>"
    ),
    "ReleaseAddress": "<return>true</return>",
    "DisassociateNatGatewayAddress": f"<natGatewayId>{GATEWAY}</natGatewayId>",
}
_JSON = {
    "BatchGetItem": {"Responses": {TABLE: []}},
    "DeleteItem": {},
    "GetCalendarState": {"State": "OPEN"},
    "GetMetricData": {"MetricDataResults": []},
    "PutItem": {},
    "TransactWriteItems": {},
    "UpdateItem": {"Attributes": {"Drains": {"M": {}}}},
}
# {"MetricDataResults": []} in CBOR, which CloudWatch's clients speak.
_METRICS = b"\xa1\x71MetricDataResults\x80"


@contextmanager
def answering() -> Iterator[str]:
    """Serve, and yield the endpoint."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    wbufsize = -1  # head and body leave together, without the wait of Nagle's algorithm between them

    def do_POST(self) -> None:
        """Answer the operation that the path, a header, or EC2's form names."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        if self.path.endswith("/GetMetricData"):
            self.send_header("smithy-protocol", "rpc-v2-cbor")
            answer = _METRICS
        elif target := self.headers.get("X-Amz-Target"):
            answer = json.dumps(_JSON[target.rpartition(".")[2]]).encode()
        else:
            [action] = parse_qs(body.decode())["Action"]
            answer = f"<{action}Response>{_EC2[action]}</{action}Response>".encode()
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
