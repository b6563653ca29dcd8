variable "cidr" {
  description = "The address range"
  type        = string
}
