"""An embedded AWS: moto, the parts that moto lacks, and one simulated clock."""
