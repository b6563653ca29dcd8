"""Forges: GitHub, GitLab, or plain files for everything else."""
