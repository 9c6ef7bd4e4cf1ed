"""Service Quotas as natdrain uses it: how many Elastic IPs a zonal NAT gateway may have."""

from botocore.exceptions import ClientError

from natdrain.aws import clients, errors
from natdrain.model.gateway import ADDRESSES_QUOTA


def read_addresses_quota() -> int:
    """Return the quota that is applied to this account and region, or else AWS's default.

    Service Quotas API reference, GetServiceQuota: a quota that was never raised may have only the default.
    """
    named = {"ServiceCode": "vpc", "QuotaCode": ADDRESSES_QUOTA}
    try:
        with errors.transient_failures(repeatable=True):
            quota = clients.service_quotas().get_service_quota(**named)["Quota"]
    except ClientError as error:
        if errors.code_of(error) != errors.NO_SUCH_QUOTA:
            raise
        quota = clients.service_quotas().get_aws_default_service_quota(**named)["Quota"]
    return int(quota["Value"])
