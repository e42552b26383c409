"""The `tanya` command: arguments and printing, nothing else."""
