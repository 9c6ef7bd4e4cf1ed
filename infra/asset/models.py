"""The SDK's data, cut to the operations that are called.

When botocore makes a client, it reads the whole model of the service, and EC2's has some 800 operations; it
lists the services that it knows, some 400, and reads where in the world each of them is.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["cut", "keep_operations"]

_MODEL = "service-2.json.gz"
_ENDPOINTS = "endpoints.json"


def keep_operations(data: Path, operations: Mapping[str, Sequence[str]]) -> None:
    """Leave in botocore's `data` folder only these services, in their newest version, with these operations.

    What it says of where these services are, in every partition and region, stays whole.

    Raises:
        KeyError: a service has no such operation.
    """
    for folder in [path for path in data.iterdir() if path.is_dir() and path.name not in operations]:
        shutil.rmtree(folder)
    prefixes = []
    for service, names in operations.items():
        packed = max((data / service).glob(f"*/{_MODEL}"))
        for folder in [path for path in (data / service).iterdir() if path != packed.parent]:
            shutil.rmtree(folder)
        model = cut(json.loads(gzip.decompress(packed.read_bytes())), names)
        # Not packed again: botocore reads both, and packers differ in what they write.
        packed.with_suffix("").write_text(json.dumps(model))
        prefixes.append(model["metadata"]["endpointPrefix"])
        packed.unlink()
    endpoints = json.loads((data / _ENDPOINTS).read_text())
    for partition in endpoints["partitions"]:
        partition["services"] = {prefix: partition["services"][prefix] for prefix in prefixes}
    (data / _ENDPOINTS).write_text(json.dumps(endpoints))


def cut(model: Mapping[str, Any], operations: Sequence[str]) -> dict[str, Any]:
    """The service model with these operations and the shapes that they lead to.

    Raises:
        KeyError: the service has no such operation.
    """
    kept = {name: model["operations"][name] for name in operations}
    shapes: dict[str, Any] = {}
    wanted = list(_shapes_in(kept))
    while wanted:
        name = wanted.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            wanted += _shapes_in(shapes[name])
    return {**model, "operations": kept, "shapes": shapes}


def _shapes_in(value: Any) -> Iterator[str]:
    """The names of all shapes that a part of a model refers to."""
    if isinstance(value, list):
        for element in value:
            yield from _shapes_in(element)
    elif isinstance(value, dict):
        for key, element in value.items():
            if key == "shape" and isinstance(element, str):
                yield element
            else:
                yield from _shapes_in(element)
