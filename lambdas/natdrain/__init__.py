"""natdrain: takes Elastic IPs off NAT gateways with care."""
