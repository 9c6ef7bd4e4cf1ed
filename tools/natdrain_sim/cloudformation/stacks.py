"""What moto's CloudFormation needs so that a template of the CDK deploys, runs and is updated as it is.

State machines must land in the backend that executes, with their substitutions applied; functions must
keep their log group, and their code may lie in a bucket that does not exist; a reference to a version must
be the ARN of that version. An update must follow the references, or a version would be published before its
function has changed; it must keep what it cannot change, and whatever is to be retained. Of a table it can
change the indexes.
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

from natdrain_sim.cloudformation import resources  # noqa: F401 - moto finds its models by having them imported
from natdrain_sim.seams import Seam, private

_generate_private_key = cache(private(kms_models, "generate_private_key"))


def seams() -> Iterator[Seam]:
    """What to replace in moto: owner, name and replacement."""
    for known in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        known.cache_clear()  # they may have been asked before the models below were there
    version = lambda_models.LambdaVersion
    create, update = "create_from_cloudformation_json", "update_from_cloudformation_json"
    yield lambda_models, "do_validate_s3", lambda: False
    yield stepfunctions_models, "stepfunctions_backends", stepfunctions_parser_backends
    for model, make in product(
        (stepfunctions_models.StateMachine, lambda_models.LambdaFunction), (create, update)
    ):
        yield model, make, staticmethod(_heeding_all(private(model, make)))
    yield version, create, staticmethod(_naming_itself(private(version, create)))
    yield Table, update, staticmethod(_with_its_indexes)
    yield Stack, "parse_template", staticmethod(_quickly(Stack.parse_template))
    # The default key of encrypted tables takes half the time of a stack; nothing is encrypted with it.
    yield kms_models, "generate_private_key", _generate_private_key
    yield parsing.ResourceMap, "update", _update
    yield parsing, "parse_and_create_resource", _create_or_update(parsing.parse_and_create_resource)


def _heeding_all(make: Callable[..., Any]) -> Callable[..., Any]:
    """Make a resource with the properties that moto passes over as well."""

    def make_resource(*given: Any, **named: Any) -> Any:
        # moto hands the resource over by position to create it, and by name to update it.
        properties = (named.get("cloudformation_json") or given[1])["Properties"]
        for name, value in properties.get("DefinitionSubstitutions", {}).items():
            text = properties["DefinitionString"].replace(f"${{{name}}}", str(value))
            properties["DefinitionString"] = text
        resource: Any = make(*given, **named)
        if log_group := properties.get("LoggingConfig", {}).get("LogGroup"):
            resource.logs_group_name = log_group
        return resource

    return make_resource


def _naming_itself(create: Callable[..., Any]) -> Callable[..., Any]:
    def create_version(name: str, resource: Any, account_id: str, region_name: str, **rest: Any) -> Any:
        version = create(name, resource, account_id, region_name, **rest)
        backend = get_backend(account_id, region_name)
        function = backend.get_function(resource["Properties"]["FunctionName"], str(version.version))
        version.physical_resource_id = function.function_arn
        return version

    return create_version


def _with_its_indexes(*, original_resource: Table, cloudformation_json: Any, **place: str) -> Table:
    wanted = cloudformation_json["Properties"]
    there = {index.name for index in original_resource.global_indexes}
    indexes = {index["IndexName"]: index for index in wanted.get("GlobalSecondaryIndexes", [])}
    dynamodb_backends[place["account_id"]][place["region_name"]].update_table(
        original_resource.name,
        attr_definitions=wanted["AttributeDefinitions"],
        global_index=[
            *({"Delete": {"IndexName": name}} for name in sorted(there - set(indexes))),
            *({"Create": index} for name, index in indexes.items() if name not in there),
        ],
        throughput={},
        billing_mode="",
        stream_spec={},
        deletion_protection_enabled=None,
        warm_throughput=None,
    )
    return original_resource


def _quickly(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Read JSON as such: moto takes everything for YAML first, which is slower by a hundred times."""
    return lambda template: json.loads(template) if template.lstrip().startswith("{") else parse(template)


def _update(self: Any, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
    """Change what differs when it is first referred to, and remove what is no longer there at the end."""
    names = self.build_resource_diff(template, parameters)
    earlier, there = dict(private(self, "_resource_json_map")), private(self, "_parsed_resources")
    self.changing = {name: there.pop(name) for name in names["Modify"] if name in there}
    removed = {name: there.pop(name) for name in names["Remove"] if name in there}
    self._template = template
    self._resource_json_map = template["Resources"]
    self.input_parameters = parameters or self.input_parameters
    self.load()
    self.create(template)
    for name, resource in removed.items():
        if not str(earlier[name].get("DeletionPolicy")).startswith("Retain"):
            private(self, "_delete_resource")(resource, earlier[name])


def _create_or_update(create: Callable[..., Any]) -> Callable[..., Any]:
    def create_or_update(
        logical_id: str, resource_json: Any, resources_map: Any, account_id: str, region_name: str
    ) -> Any:
        original = vars(resources_map).get("changing", {}).pop(logical_id, None)
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
