"""The quota of EIPs on a NAT gateway, which moto lacks, and GetAWSDefaultServiceQuota.

Sources: Service Quotas API reference; VPC user guide, "Amazon VPC quotas". All other quotas are moto's.
"""

from collections.abc import Iterator
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.servicequotas.exceptions import NoSuchResource
from moto.servicequotas.models import ServiceQuotasBackend
from moto.servicequotas.responses import ServiceQuotasResponse

from natdrain_sim.ec2.settings import DEFAULT_EIPS_PER_NAT_GATEWAY, settings_of
from natdrain_sim.seams import Seam

_SERVICE, _CODE = "vpc", "L-5F53652F"


def seams() -> Iterator[Seam]:
    """Yield the seam of GetServiceQuota, and GetAWSDefaultServiceQuota, which is added."""
    moto_quota = ServiceQuotasBackend.get_service_quota

    def get_applied(backend: ServiceQuotasBackend, service_code: str, quota_code: str) -> dict[str, Any]:
        if (service_code, quota_code) != (_SERVICE, _CODE):
            return moto_quota(backend, service_code, quota_code)
        applied = settings_of(ec2_backends[backend.account_id][backend.region_name]).eips_per_nat_gateway
        if applied is None:
            raise NoSuchResource
        return _quota(backend, backend.account_id, applied)

    def get_default(response: ServiceQuotasResponse) -> ActionResult:
        wanted = response._get_param("ServiceCode"), response._get_param("QuotaCode")  # noqa: SLF001
        if wanted == (_SERVICE, _CODE):
            quota = _quota(response.backend, "", DEFAULT_EIPS_PER_NAT_GATEWAY)
        else:
            quota = moto_quota(response.backend, *wanted)
        return ActionResult({"Quota": quota})

    yield ServiceQuotasBackend, "get_service_quota", get_applied
    yield ServiceQuotasResponse, "get_aws_default_service_quota", get_default


def _quota(backend: ServiceQuotasBackend, account: str, value: int) -> dict[str, Any]:
    return {
        "ServiceCode": _SERVICE,
        "ServiceName": "Amazon Virtual Private Cloud (Amazon VPC)",
        "QuotaArn": f"arn:aws:servicequotas:{backend.region_name}:{account}:{_SERVICE}/{_CODE}",
        "QuotaCode": _CODE,
        "QuotaName": "Elastic IP addresses per public NAT gateway",
        "Value": float(value),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }
