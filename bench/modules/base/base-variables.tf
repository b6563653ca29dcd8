variable "unit" {
  description = "Name of the unit."
  type        = string
}

variable "cidr" {
  description = "Addresses of its network."
  type        = string
}
