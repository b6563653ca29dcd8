"""The systems that hold pull requests: GitHub, GitLab, and plain files for everything else."""
