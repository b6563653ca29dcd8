"""Provider processes behind a proxy: started once, configured once, asked once, and shared by Terraform's children."""
