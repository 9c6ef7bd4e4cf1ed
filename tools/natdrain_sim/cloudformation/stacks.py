"""Deployment and update of an unmodified template of the CDK by moto's CloudFormation.

State machines are created in the backend that executes them, with their substitutions. Functions have their
log group, and their code may be in a bucket that does not exist. A reference to a version is the ARN of that
version. An update follows the references, so that a version is published after its function has changed. It
keeps resources that moto cannot change or that are to be retained; of a table it changes the indexes.
"""

import json
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from typing import Any

from moto.awslambda import models as lambda_models
from moto.awslambda.utils import get_backend
from moto.cloudformation import parsing
from moto.cloudformation.models import Stack
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table
from moto.kms import models as kms_models
from moto.stepfunctions import models as stepfunctions_models
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from natdrain_sim.cloudformation import resources  # noqa: F401 - registers the types with moto
from natdrain_sim.seams import Seam, private

_generate_private_key = cache(private(kms_models, "generate_private_key"))


def seams() -> Iterator[Seam]:
    """Yield the seams of CloudFormation and of the resources that it creates."""
    for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        cached.cache_clear()  # they may have been called before our types were registered
    version = lambda_models.LambdaVersion
    create, update = "create_from_cloudformation_json", "update_from_cloudformation_json"
    yield lambda_models, "do_validate_s3", lambda: False
    yield stepfunctions_models, "stepfunctions_backends", stepfunctions_parser_backends
    for model, make in product(
        (stepfunctions_models.StateMachine, lambda_models.LambdaFunction), (create, update)
    ):
        yield model, make, staticmethod(_with_all_properties(private(model, make)))
    yield version, create, staticmethod(_with_version_arn(private(version, create)))
    yield Table, update, staticmethod(_update_indexes)
    yield Stack, "parse_template", staticmethod(_with_json(Stack.parse_template))
    # Generating the default key of encrypted tables takes half the time of a stack; nothing uses the key.
    yield kms_models, "generate_private_key", _generate_private_key
    yield parsing.ResourceMap, "update", _update_resources
    yield parsing, "parse_and_create_resource", _create_or_update(parsing.parse_and_create_resource)


def _with_all_properties(make: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the creation or update of a resource, to apply the properties that moto ignores."""

    def make_resource(*args: Any, **kwargs: Any) -> Any:
        # moto passes the resource by position to create it, and by name to update it.
        properties = (kwargs.get("cloudformation_json") or args[1])["Properties"]
        for name, value in properties.get("DefinitionSubstitutions", {}).items():
            text = properties["DefinitionString"].replace(f"${{{name}}}", str(value))
            properties["DefinitionString"] = text
        resource: Any = make(*args, **kwargs)
        if log_group := properties.get("LoggingConfig", {}).get("LogGroup"):
            resource.logs_group_name = log_group
        return resource

    return make_resource


def _with_version_arn(create: Callable[..., Any]) -> Callable[..., Any]:
    def create_version(name: str, resource: Any, account_id: str, region_name: str, **rest: Any) -> Any:
        version = create(name, resource, account_id, region_name, **rest)
        backend = get_backend(account_id, region_name)
        function = backend.get_function(resource["Properties"]["FunctionName"], str(version.version))
        version.physical_resource_id = function.function_arn
        return version

    return create_version


def _update_indexes(
    *, original_resource: Table, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
) -> Table:
    properties = cloudformation_json["Properties"]
    before = {index.name for index in original_resource.global_indexes}
    indexes = {index["IndexName"]: index for index in properties.get("GlobalSecondaryIndexes", [])}
    dynamodb_backends[account_id][region_name].update_table(
        original_resource.name,
        attr_definitions=properties["AttributeDefinitions"],
        global_index=[
            *({"Delete": {"IndexName": name}} for name in sorted(before - set(indexes))),
            *({"Create": index} for name, index in indexes.items() if name not in before),
        ],
        throughput={},
        billing_mode="",
        stream_spec={},
        deletion_protection_enabled=None,
        warm_throughput=None,
    )
    return original_resource


def _with_json(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Wrap a parser, to parse JSON as JSON: moto tries YAML first, which is a hundred times slower."""
    return lambda template: json.loads(template) if template.lstrip().startswith("{") else parse(template)


def _update_resources(self: Any, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
    """Update each changed resource when it is first referred to, and delete removed ones at the end."""
    names = self.build_resource_diff(template, parameters)
    old_definitions, parsed = dict(private(self, "_resource_json_map")), private(self, "_parsed_resources")
    self.to_update = {name: parsed.pop(name) for name in names["Modify"] if name in parsed}
    to_delete = {name: parsed.pop(name) for name in names["Remove"] if name in parsed}
    self._template = template
    self._resource_json_map = template["Resources"]
    self.input_parameters = parameters or self.input_parameters
    self.load()
    self.create(template)
    for name, resource in to_delete.items():
        if not str(old_definitions[name].get("DeletionPolicy")).startswith("Retain"):
            private(self, "_delete_resource")(resource, old_definitions[name])


def _create_or_update(create: Callable[..., Any]) -> Callable[..., Any]:
    def create_or_update(
        logical_id: str, resource_json: Any, resources_map: Any, account_id: str, region_name: str
    ) -> Any:
        original = vars(resources_map).get("to_update", {}).pop(logical_id, None)
        if original is None:
            return create(logical_id, resource_json, resources_map, account_id, region_name)
        model, cleaned, _ = parsing.parse_resource(resource_json, resources_map)
        name_property = parsing.resource_name_property_from_type(resource_json["Type"])
        update = model.update_from_cloudformation_json
        if hasattr(update, "__isabstractmethod__"):
            return original  # moto cannot change it
        updated: Any = update(
            original_resource=original,
            new_resource_name=cleaned["Properties"].get(name_property, original.physical_resource_id),
            cloudformation_json=cleaned,
            account_id=account_id,
            region_name=region_name,
        )
        updated.cf_resource_type, updated.logical_resource_id = resource_json["Type"], logical_id
        return updated

    return create_or_update
