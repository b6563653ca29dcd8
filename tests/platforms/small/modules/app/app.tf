resource "terraform_data" "home" {
  input = var.vpc_id

  provisioner "local-exec" {
    command = var.command
  }
}
