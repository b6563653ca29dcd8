variable "unit" {
  description = "Name of the unit."
  type        = string
}

variable "cidr" {
  description = "Addresses of its network."
  type        = string
}

variable "first" {
  description = "The network of the first unit that it needs."
  type        = string
}

variable "second" {
  description = "The network of the second unit that it needs."
  type        = string
}

variable "third" {
  description = "The network of the third unit that it needs."
  type        = string
}
