"""Parts of CloudFormation that moto lacks."""
