"""Provider proxy: starts and configures each provider once, and shares it among the Terraform processes of a run."""
