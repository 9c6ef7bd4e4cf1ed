"""The embedded cloud as an HTTP server on loopback, for any AWS client."""

import json
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from natdrain_sim.cloud import EmbeddedCloud
from natdrain_sim.ec2 import ACCOUNT, REGION

DEFAULT_SPEED = 60.0
"""Simulated seconds in each real one."""


@contextmanager
def listen(cloud: EmbeddedCloud, *, port: int, speed: float) -> Iterator[str]:
    """Serve a cloud on loopback while its time flows, and yield the endpoint; port 0 is any free port."""
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", port, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True, name="http")
    thread.start()
    try:
        with cloud.clock.flow(speed):
            yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def serve(starting: AbstractContextManager[EmbeddedCloud], *, port: int, speed: float) -> None:
    """Serve until SIGINT or SIGTERM; print one JSON line with the endpoint when the cloud is ready."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    with starting as cloud, listen(cloud, port=port, speed=speed) as endpoint:
        ready = {
            "endpoint": endpoint,
            "region": REGION,
            "account": ACCOUNT,
            "change_state_machine_arn": cloud.change_state_machine_arn,
            # The same machine by the name that it had when it could only drain.
            "drain_state_machine_arn": cloud.change_state_machine_arn,
            "table": cloud.outputs["TableName"],
            "outputs": cloud.outputs,
            "speed": speed,
        }
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        stopping.wait()
