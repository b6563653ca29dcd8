"""What AWS accepts: values that it would refuse are found before Terraform starts."""
